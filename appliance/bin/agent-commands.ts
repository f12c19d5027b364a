import { isIPv6 } from 'node:net';
import type { Command } from 'commander';
import { renderUnicodeCompact } from 'uqr';
import type { EnrollToken } from '../agents/index.ts';
import { applianceErrors } from '../errors.ts';
import { createInstallers, installCommand, isTargetName } from '../installers/index.ts';
import { reachableAddress, reachablePage } from '../lib/reachable-address.ts';
import { reported } from './failure.ts';
import { type LocalApi, openLocalApi } from './local-api.ts';
import { openOutFile } from './out-file.ts';

export function addAgentCommands(program: Command, withConfig: (command: Command) => Command): void {
  const agents = program.command('agents').description('workstation agents of this site');
  withConfig(agents.command('token'))
    .description('make a single-use enrolment token (JSON for the agent)')
    .option('-o, --out <file>', 'write it to a new file, mode 0600, instead of printing it')
    .option('-a, --address <host:port>', 'address the workstation reaches this box at')
    .option('--qr', 'print it as a QR code')
    .option('--command <target>', 'print the line that installs the agent with it: win-x64, linux-x64 or linux-arm64')
    .addHelpText(
      'after',
      '\nA line of --command holds the SHA-256 as this box knows it, so it need not trust the network.',
    )
    .action(reported(makeToken));
  withConfig(agents.command('list')).description('list the active agents').action(reported(listAgents));
  withConfig(agents.command('remove').argument('<id>', 'id of the agent'))
    .description('revoke the certificates of an agent and end its session')
    .action(reported((id: string, { config }: { config: string }) => removeAgent(id, config)));
}

interface TokenOptions {
  readonly config: string;
  readonly out?: string;
  readonly address?: string;
  readonly qr?: boolean;
  readonly command?: string;
}

async function makeToken(options: TokenOptions): Promise<void> {
  if (options.address !== undefined) checkAddress(options.address);
  const api = await openLocalApi(options.config);
  const applianceAddress = options.address ?? reachableAddress(api.config, api.run.intakeAddress);
  const lineOf = options.command === undefined ? undefined : await findCommand(api, options.command);
  const make = async () => {
    const { token, siteCaSha256 } = await api.call<EnrollToken>('POST', '/api/local/agent-tokens');
    const text = JSON.stringify({ applianceAddress, token, caFingerprint: `sha256:${siteCaSha256}` });
    if (lineOf !== undefined) return `${lineOf(text)}\n`;
    return options.qr === true ? `${renderUnicodeCompact(text, { ecc: 'M', border: 2 })}\n` : `${text}\n`;
  };
  if (options.out === undefined) {
    process.stdout.write(await make());
    return;
  }
  const file = await openOutFile(options.out);
  try {
    await file.write(await make());
  } catch (error) {
    await file.remove();
    throw error;
  }
  console.error(`Wrote ${options.out}. Move it to the workstation; it works once, for 24 hours.`);
}

/** Looked up before the token is made: one that cannot be used is not made. */
async function findCommand({ config, run }: LocalApi, target: string): Promise<(token: string) => string> {
  if (!isTargetName(target)) throw applianceErrors.make('TARGET_UNKNOWN', { field: 'command' });
  const baseUrl = reachablePage(config, run.localUrl);
  if (baseUrl === undefined) throw applianceErrors.make('LOCAL_PAGE_CLOSED');
  const set = await createInstallers(config.installers).read();
  const installer = set?.files.find((file) => file.target === target);
  if (installer === undefined) throw applianceErrors.make('INSTALLERS_NONE');
  return (token) => installCommand({ installer, baseUrl, token });
}

/** Host and port as the agent takes them. Throws ADDRESS_INVALID. */
function checkAddress(address: string): void {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|[A-Za-z0-9._-]{1,253}):(\d{1,5})$/.exec(address);
  const port = Number(match?.[2]);
  const isHostGood = match !== null && (match[1] === undefined || isIPv6(match[1]));
  if (isHostGood && port >= 1 && port <= 65_535) return;
  throw applianceErrors.make('ADDRESS_INVALID', { field: 'address', detail: `--address ${JSON.stringify(address)}` });
}

async function listAgents({ config }: { config: string }): Promise<void> {
  const api = await openLocalApi(config);
  const { agents } = await api.call<{ agents: object[] }>('GET', '/api/local/agents');
  console.log(JSON.stringify(agents, null, 2));
}

async function removeAgent(id: string, config: string): Promise<void> {
  const api = await openLocalApi(config);
  await api.call('DELETE', `/api/local/agents/${encodeURIComponent(id)}`);
  console.log(`${id} is removed.`);
}
