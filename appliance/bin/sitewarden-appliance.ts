#!/usr/bin/env node
import { outliveReaders } from '@sitewarden/kit/stdio';
import { Command } from 'commander';
import { applianceVersion } from '../lib/version.ts';
import { addAgentCommands } from './agent-commands.ts';
import { addClaimCommands } from './claim-commands.ts';
import { addConfigCommands } from './config-commands.ts';
import { doctor } from './doctor.ts';
import { reported } from './failure.ts';
import { addKeyCommands } from './key-commands.ts';
import { reset } from './reset.ts';
import { addSecretCommands } from './secret-commands.ts';
import { showStatus } from './status.ts';

export const DEFAULT_CONFIG = '/etc/sitewarden/appliance.yaml';

const program = new Command('sitewarden-appliance')
  .description(
    'Watches a site, takes in checks from its agents, repairs what rules allow, and reports signed evidence.',
  )
  .version(applianceVersion())
  // Wrong usage is 2, as the help says; help and version are 0.
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
  .showHelpAfterError()
  .addHelpText('after', '\nExit codes: 0 done, 1 a fault, 2 wrong usage.');

const withConfig = (command: Command): Command =>
  command.option('-c, --config <file>', 'configuration file (YAML)', DEFAULT_CONFIG);

withConfig(program.command('run'))
  .description('run the appliance until it is stopped')
  .option('--ready-json', 'print one line {"ready":true,...} with the addresses once everything is up')
  .action(
    reported(async (options: { config: string; readyJson?: boolean }) => {
      // Loaded here, so that the short commands need not load a daemon.
      const { runDaemon } = await import('./run.ts');
      await runDaemon(options);
    }),
  );
withConfig(program.command('status'))
  .description('show how the running appliance stands')
  .option('--json', 'as JSON')
  .action(reported((options: { config: string; json?: boolean }) => showStatus(options)));
withConfig(program.command('doctor'))
  .description('look at the way to the relay, step by step, and say what to do; exit code 1 when something is wrong')
  .option('--json', 'as JSON')
  .action(reported((options: { config: string; json?: boolean }) => doctor(options)));
withConfig(program.command('reset'))
  .description('make it a new box that can be claimed again; all it knows is kept in a folder beside')
  .option('--yes', 'do it; without this it only says what it would do')
  .action(reported((options: { config: string; yes?: boolean }) => reset(options)));
addConfigCommands(program, withConfig);
addAgentCommands(program, withConfig);
addClaimCommands(program, withConfig);
addKeyCommands(program, withConfig);
addSecretCommands(program, withConfig);

outliveReaders();
await program.parseAsync();
