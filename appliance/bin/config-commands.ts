import type { Command } from 'commander';
import { readConfigFile } from '../config/index.ts';
import { reported } from './failure.ts';

export function addConfigCommands(program: Command, withConfig: (command: Command) => Command): void {
  const config = program.command('config').description('the configuration file');
  withConfig(config.command('check'))
    .description('say every issue of the file, or that there is none')
    .action(
      reported(async ({ config: file }: { config: string }) => {
        await readConfigFile(file);
        console.log(`${file} is good.`);
      }),
    );
}
