import { text as readAll } from 'node:stream/consumers';
import { type Command, InvalidArgumentError } from 'commander';
import { renderUnicodeCompact } from 'uqr';
import type { ClaimSnapshot } from '../claim/index.ts';
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
  withConfig(program.command('qr'))
    .description('show the QR code to claim this box with, and the number to compare')
    .action(reported(showQr));
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

interface StatusWithClaim {
  readonly claim: { readonly claimUrl?: string | null; readonly number?: string | null; readonly sentence?: string };
}

async function showQr({ config }: { config: string }): Promise<void> {
  const api = await openLocalApi(config);
  const { claim: now } = await api.call<StatusWithClaim>('GET', '/api/local/status');
  if (!now.claimUrl) {
    console.log('There is nothing to scan: see `sitewarden-appliance status`.');
    process.exitCode = 2;
    return;
  }
  console.log(renderUnicodeCompact(now.claimUrl, { border: 2 }));
  console.log(`Compare this number with the one on your phone: ${now.number}`);
}
