import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type StormOptions, storm } from '../helpers/storm.ts';

/** `SITEWARDEN_STORM_AGENTS=500` is the full form: as many workstations as a box takes. */
const AGENTS = Number(process.env.SITEWARDEN_STORM_AGENTS ?? 60);
const CONTROL_AGENTS = 20;
const CONTROL_ROUNDS = 5;
/** The second wait of an agent that was refused twice is at most 8 s, its third 16 s. */
const WITHIN_MS = 60_000;
const MAX_BLOCKED_MS = 1000;
const MAX_GROWTH_MIB = 100 + AGENTS * 0.5;

function stormOn(t: Test, options: Omit<StormOptions, 'dataDir' | 'withinMs'>) {
  const base = mkdtempSync(join(tmpdir(), 'sitewarden-storm-'));
  t.teardown(() => rmSync(base, { recursive: true, force: true }));
  return storm({
    ...options,
    dataDir: join(base, 'data'),
    withinMs: options.manner === 'forgetful' ? 5000 : WITHIN_MS,
  });
}

t.test(`${AGENTS} agents come back to a box that was killed, and no report is lost or doubled`, async (t) => {
  const result = await stormOn(t, { agents: AGENTS, manner: 'agent' });
  const { back, tookMs, attempts, ends, wrong, healthMaxMs, healthAnswers, rssBeforeMib, rssMaxMib } = result;
  t.comment(
    `${back} back in ${Math.round(tookMs)} ms by ${attempts} connections, ${JSON.stringify(ends)}; page ${Math.round(healthMaxMs)} ms at most; ` +
      `${Math.round(rssMaxMib)} MiB at most, ${Math.round(rssBeforeMib)} before`,
  );
  t.equal(back, AGENTS);
  t.ok(tookMs <= WITHIN_MS, `${tookMs} ms`);
  t.strictSame(wrong, []);
  t.ok(healthAnswers > 0, 'the page was asked');
  t.ok(healthMaxMs < MAX_BLOCKED_MS, `the page took ${healthMaxMs} ms`);
  t.ok(rssMaxMib - rssBeforeMib < MAX_GROWTH_MIB, `${rssBeforeMib} MiB grew to ${rssMaxMib}`);
});

t.test('agents that come back without a pause all get in as well', async (t) => {
  const { back, wrong, attempts } = await stormOn(t, { agents: AGENTS, manner: 'hammering' });
  t.equal(back, AGENTS);
  t.strictSame(wrong, []);
  t.ok(attempts > AGENTS, `${attempts} connections`);
});

t.test('control: of agents that take for stored what they sent, some never get to the end', async (t) => {
  // The kill may fall between two commits, when nothing is under way that could be lost.
  let back = CONTROL_AGENTS;
  for (let round = 0; round < CONTROL_ROUNDS && back === CONTROL_AGENTS; round += 1) {
    ({ back } = await stormOn(t, { agents: CONTROL_AGENTS, manner: 'forgetful' }));
  }
  t.ok(back < CONTROL_AGENTS, `${back} of ${CONTROL_AGENTS} had everything acknowledged`);
});
