import { networkInterfaces } from 'node:os';
import { resolve } from 'node:path';
import { writeFileAtomic } from '@sitewarden/kit/files';
import type { Command } from 'commander';
import type { EnrollToken } from '../agents/index.ts';
import type { ApplianceConfig } from '../config/index.ts';
import { reported } from './failure.ts';
import { openLocalApi } from './local-api.ts';

export function addAgentCommands(program: Command, withConfig: (command: Command) => Command): void {
  const agents = program.command('agents').description('workstation agents of this site');
  withConfig(agents.command('token'))
    .description('make a single-use enrolment token (JSON for the agent)')
    .option('-o, --out <file>', 'write it to a file, mode 0600, instead of printing it')
    .option('-a, --address <host:port>', 'address the workstation reaches this box at')
    .action(reported(makeToken));
  withConfig(agents.command('list')).description('list the active agents').action(reported(listAgents));
  withConfig(agents.command('remove').argument('<id>', 'id of the agent'))
    .description('revoke the certificates of an agent and end its session')
    .action(reported((id: string, { config }: { config: string }) => removeAgent(id, config)));
}

async function makeToken(options: { config: string; out?: string; address?: string }): Promise<void> {
  const api = await openLocalApi(options.config);
  const { token, siteCaSha256 } = await api.call<EnrollToken>('POST', '/api/local/agent-tokens');
  const applianceAddress = options.address ?? reachableAddress(api.config, api.run.intakeAddress);
  const text = `${JSON.stringify({ applianceAddress, token, caFingerprint: `sha256:${siteCaSha256}` })}\n`;
  if (options.out === undefined) {
    process.stdout.write(text);
    return;
  }
  await writeFileAtomic(resolve(options.out), text, { mode: 0o600 });
  console.error(`Wrote ${options.out}. Move it to the workstation; it works once, for 24 hours.`);
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
