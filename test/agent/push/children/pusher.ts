/**
 * An agent's queue and push loop with a source of so many reports every 2 ms. Prints a line for each report once it is
 * on disk; goes on from the number it is given. To be killed at any moment.
 */
import { writeSync } from 'node:fs';
import { createLogger } from '@sitewarden/kit/log';
import { systemClock } from '@sitewarden/kit/time';
import { openIdentity } from '../../../../agent/identity/index.ts';
import { runPush } from '../../../../agent/push/index.ts';
import { openQueue } from '../../../../agent/queue/index.ts';

const [, , dataDir, address, first, perTick] = process.argv;
const identity = await openIdentity(dataDir!);
const queue = openQueue(dataDir!, { maxRows: 100_000, maxAgeMs: 1e10 });
queue.reports.bindAgent(identity.agentId);

let next = Number(first);
setInterval(() => {
  for (let i = 0; i < Number(perTick); i++) {
    queue.reports.enqueue({ results: [], rmmFindings: [], orderId: String(next), rmmLooked: false });
    writeSync(1, `${next++}\n`);
  }
}, 2);

await runPush({
  address: address!,
  identity,
  queue,
  host: { hostname: 'pusher', osFamily: 'linux', osVersion: '', agentVersion: '0.0.0' },
  heartbeatIntervalMs: () => 60_000,
  measure: async () => ({}),
  ownFacts: () => ({}),
  onWelcome: () => {},
  onConfig: () => {},
  onOrder: () => {},
  onConnection: () => {},
  clock: systemClock,
  log: createLogger({ name: 'pusher', level: 'silent' }),
  signal: new AbortController().signal,
  // The retry waits nothing: the appliance is there, and the test is short.
  random: () => 0,
});
