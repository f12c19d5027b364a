import { text as readAll } from 'node:stream/consumers';
import { type Command, InvalidArgumentError } from 'commander';
import type { ClaimSnapshot } from '../claim/index.ts';
import { showConsole } from './console.ts';
import { reported } from './failure.ts';
import { openLocalApi } from './local-api.ts';

export function addClaimCommands(program: Command, withConfig: (command: Command) => Command): void {
  withConfig(program.command('claim'))
    .description('give the box a provisioning code: the 14 letters, or the whole address of its QR label')
    .requiredOption(
      '--code <file>',
      'only `-`: the code is read from standard input, so that no process list shows it',
      onlyStdin,
    )
    .action(reported(claim));
  withConfig(program.command('console'))
    .description('the screen of the box: how it is, the QR code to claim it with, and the number to compare')
    .option('--once', 'print it and end, instead of keeping it up to date')
    .action(reported((options: { config: string; once?: boolean }) => showConsole(options)));
}

function onlyStdin(source: string): string {
  if (source !== '-') throw new InvalidArgumentError('Give the code on standard input: --code -');
  return source;
}

async function claim({ config }: { config: string }): Promise<void> {
  const api = await openLocalApi(config);
  const code = (await readAll(process.stdin)).trim();
  const snapshot = await api.call<ClaimSnapshot>('POST', '/api/local/claim', { code });
  console.log(JSON.stringify({ phase: snapshot.phase, number: snapshot.number, site: snapshot.site }));
}
