import { loadAgentConfig } from '../../config/index.ts';
import { type AgentStatus, readStatus } from '../../run/index.ts';
import { print } from './output.ts';

const WORDS: Readonly<Record<AgentStatus['state'], string>> = {
  not_enrolled: 'not enrolled. Run `sitewarden-agent enroll --token-file FILE`.',
  removed: 'removed from its site. Enroll it again with a new token, or uninstall it.',
  damaged: 'the stored identity cannot be used. Enroll again with a new token and --replace.',
  stopped: 'not running. Start it with `sitewarden-agent run`, or through the service manager.',
  waiting: 'running, without a connection to the appliance.',
  connected: 'running and connected to the appliance.',
};

export async function statusCommand(configPath: string | undefined, flags: { json?: boolean }): Promise<void> {
  const { config } = await loadAgentConfig(configPath);
  const status = await readStatus(config.dataDir);
  if (flags.json) {
    const { siteConfig: _, ...queue } = status.queue ?? {};
    print(JSON.stringify({ ...status, queue: status.queue === undefined ? null : queue }));
    return;
  }
  print(`State:       ${WORDS[status.state]}`);
  if (status.reason !== undefined) print(`Reason:      ${status.reason}`);
  if (status.sinceMs !== undefined) print(`Since:       ${isoTime(status.sinceMs)}`);
  if (status.agentId !== undefined) print(`Agent:       ${status.agentId}`);
  if (status.appliance !== undefined) print(`Appliance:   ${status.appliance}`);
  if (status.certificateUntilMs !== undefined) print(`Certificate: until ${isoTime(status.certificateUntilMs)}`);
  if (status.disk?.isFull) {
    print(`Disk:        full. Nothing that is found can be stored; free some space at ${config.dataDir}.`);
  }
  if (status.queue !== undefined) {
    print(`Queue:       ${status.queue.depth} report(s) waiting, last number ${status.queue.lastSeq}`);
    for (const loss of status.queue.losses) {
      print(`Lost:        ${loss.reports} (${loss.reason}), last ${isoTime(loss.lastAtMs)}`);
    }
  }
}

const isoTime = (ms: number): string => new Date(ms).toISOString();
