import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Command } from 'commander';
import type { EnrollToken } from '../agents/index.ts';
import type { ApplianceConfig } from '../config/index.ts';
import { applianceErrors } from '../errors.ts';
import { reported } from './failure.ts';
import { openLocalApi } from './local-api.ts';
import { openOutFile } from './out-file.ts';

export function addAgentCommands(program: Command, withConfig: (command: Command) => Command): void {
  const agents = program.command('agents').description('workstation agents of this site');
  withConfig(agents.command('token'))
    .description('make a single-use enrolment token (JSON for the agent)')
    .option('-o, --out <file>', 'write it to a new file, mode 0600, instead of printing it')
    .option('-a, --address <host:port>', 'address the workstation reaches this box at')
    .action(reported(makeToken));
  withConfig(agents.command('list')).description('list the active agents').action(reported(listAgents));
  withConfig(agents.command('remove').argument('<id>', 'id of the agent'))
    .description('revoke the certificates of an agent and end its session')
    .action(reported((id: string, { config }: { config: string }) => removeAgent(id, config)));
}

async function makeToken(options: { config: string; out?: string; address?: string }): Promise<void> {
  if (options.address !== undefined) checkAddress(options.address);
  const api = await openLocalApi(options.config);
  const applianceAddress = options.address ?? reachableAddress(api.config, api.run.intakeAddress);
  const make = async () => {
    const { token, siteCaSha256 } = await api.call<EnrollToken>('POST', '/api/local/agent-tokens');
    return `${JSON.stringify({ applianceAddress, token, caFingerprint: `sha256:${siteCaSha256}` })}\n`;
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

/** Host and port as the agent takes them. Throws ADDRESS_INVALID. */
function checkAddress(address: string): void {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|[A-Za-z0-9._-]{1,253}):(\d{1,5})$/.exec(address);
  const port = Number(match?.[2]);
  const isHostGood = match !== null && (match[1] === undefined || isIPv6(match[1]));
  if (isHostGood && port >= 1 && port <= 65_535) return;
  throw applianceErrors.make('ADDRESS_INVALID', { field: 'address', detail: `--address ${JSON.stringify(address)}` });
}

/** A configured name first; a wildcard address is none, so then the first address others can reach. */
function reachableAddress({ intake }: ApplianceConfig, intakeAddress: string): string {
  const port = intakeAddress.slice(intakeAddress.lastIndexOf(':') + 1);
  const [named] = intake.publicHost;
  if (named !== undefined) return named.includes(':') ? `[${named}]:${port}` : `${named}:${port}`;
  if (intake.host !== '0.0.0.0' && intake.host !== '::') return intakeAddress;
  const outer = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .find(({ internal, family }) => !internal && family === 'IPv4');
  return `${outer?.address ?? '127.0.0.1'}:${port}`;
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
