// The workstations of `agents-500`: sessions that are open and say now and then what workstations say.
import { AgentServiceService, encodeFacts, SessionRequest, SessionResponse } from '@sitewarden/agent-proto/agent';
import { openClient } from '../../../agent/identity/channel.ts';
import { type AgentIdentity, sixResults } from '../../helpers/agent-client.ts';
import { serveParent } from '../lib/child.ts';

export interface CrowdOptions {
  address: string;
  kind: 'intake' | 'echo';
  agents: readonly AgentIdentity[];
  reportEveryMs: number;
  heartbeatEveryMs: number;
}

export interface CrowdResult {
  connected: number;
}

const telemetry = encodeFacts({ cpu_percent: 7, memory_used_bytes: 812_000_000, disk_used_bytes: 41_000_000_000 });
/** Handshakes at once: what connecting costs is not to be measured. */
const AT_ONCE = 10;

serveParent<CrowdOptions, CrowdResult>({}, async (options) => {
  const { agents } = options;
  for (let at = 0; at < agents.length; at += AT_ONCE) {
    await Promise.all(agents.slice(at, at + AT_ONCE).map((agent, i) => open(agent, at + i, options)));
  }
  return { connected: agents.length };
});

/** Resolves when the other side has answered the hello. Reports and heartbeats are spread over their intervals. */
async function open(agent: AgentIdentity, place: number, options: CrowdOptions): Promise<void> {
  const client = openClient(options.address, { trustedCaPems: [agent.siteCaPem], client: agent });
  const same = (bytes: Buffer) => bytes;
  const call = client.makeBidiStreamRequest(AgentServiceService.session.path, same, same);
  const say = (message: NonNullable<SessionRequest['message']>): void => {
    call.write(Buffer.from(SessionRequest.encode({ message }).finish()));
  };
  let seq = 0;
  await new Promise<void>((resolve, reject) => {
    call.on('error', reject);
    call.on('data', (bytes: Buffer) => {
      if (options.kind === 'intake') {
        const { message } = SessionResponse.decode(bytes);
        if (message?.$case === 'welcome') seq = message.value.ackedThrough;
      }
      resolve();
    });
    const host = { hostname: `desk-${place}`, osFamily: 'linux', osVersion: 'test', agentVersion: '0.0.0' };
    say({ $case: 'hello', value: { host, lastSeq: 0, bootId: 'bench' } });
  });
  const share = place / options.agents.length;
  every(options.reportEveryMs, share, () => {
    seq += 1;
    say({ $case: 'report', value: sixResults(seq, Date.now()) });
  });
  every(options.heartbeatEveryMs, share, () =>
    say({ $case: 'heartbeat', value: { sentAtMs: Date.now(), uptimeS: 60, queueDepth: 0, telemetry } }),
  );
}

function every(intervalMs: number, share: number, act: () => void): void {
  setTimeout(() => {
    act();
    setInterval(act, intervalMs);
  }, intervalMs * share);
}
