import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t from 'tap';
import { arrivals, quantile } from '../../scripts/fleet-sim/tally.ts';
import { nodeCommand, programEnvironment } from '../../scripts/lib/programs.ts';

const SCRIPT = join(import.meta.dirname, '..', '..', 'scripts', 'fleet-sim.ts');

/** The simulator as a process, its temporary files in a folder of the test's own. */
function simulate(t: { teardown(fn: () => void): void }, ...args: string[]) {
  const [command, ...rest] = nodeCommand([SCRIPT, ...args]);
  const folder = mkdtempSync(join(tmpdir(), 'sitewarden-test-'));
  const child = spawn(command, rest, { env: { ...programEnvironment(), TMPDIR: folder } });
  t.teardown(() => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, out, err }));
  return { child, folder, ended };
}

function line(child: ChildProcess, pattern: RegExp): Promise<void> {
  return new Promise((resolve) => {
    createInterface({ input: child.stderr! }).on('line', (text) => pattern.test(text) && resolve());
  });
}

t.test('20 boxes are claimed, check in along their token chains and push cosigned evidence', async (t) => {
  const { ended, folder } = simulate(t, '--appliances', '20', '--minutes', '0.1', '--interval-s', '0.5', '--json');
  const { code, out, err } = await ended;
  t.equal(code, 0, err);
  const report = JSON.parse(out);
  t.equal(report.appliances, 20);
  t.ok(report.checkins.sent >= 60, `${report.checkins.sent} check-ins`);
  t.equal(report.checkins.refused, 0);
  t.equal(report.checkins.answered, report.checkins.sent);
  t.ok(report.rows.evidence >= 20, 'at least the claim of each box');
  t.ok(report.rows.checkpointsCosigned >= 20);
  t.strictSame(report.rows.failures, {});
  t.ok(report.latencyMs.p50 > 0 && report.latencyMs.p50 <= report.latencyMs.p99);
  t.ok(report.relayRssMb === null || report.relayRssMb.peak > 10);
  t.strictSame(readdirSync(folder), [], 'nothing is left behind');
});

t.test('Ctrl-C ends it early, with a report and nothing left behind', async (t) => {
  const { child, ended, folder } = simulate(t, '--appliances', '3', '--minutes', '10', '--interval-s', '0.5', '--json');
  await line(child, /boxes check in for/);
  child.kill('SIGINT');
  const { code, out } = await ended;
  t.equal(code, 130);
  t.equal(JSON.parse(out).appliances, 3);
  t.notOk(existsSync(folder) && readdirSync(folder).length > 0);
});

t.test('a wrong argument is named and nothing is started', async (t) => {
  for (const [args, name] of [
    [['--minutes', '1'], '--appliances is missing'],
    [['--appliances', '1.5', '--minutes', '1'], '--appliances must be a whole number'],
    [['--appliances', '5', '--minutes', '0'], '--minutes must be a number'],
    [['--appliances', '5', '--minutes', '1', '--relay', 'http://127.0.0.1:9'], '--sign-in-link'],
    [['--appliances', '5', '--minutes', '1', '--relay', 'x', '--sign-in-link', 'y'], '--relay must be a URL'],
  ] as const) {
    const { code, err } = await simulate(t, ...args).ended;
    t.equal(code, 2, name);
    t.match(err, name);
  }
});

t.test('quantiles are the nearest rank, arrivals are counted in whole seconds', async (t) => {
  t.equal(quantile([], 0.5), 0);
  t.equal(quantile([1, 2, 3, 4], 0.5), 2);
  t.equal(quantile([1, 2, 3, 4], 0.99), 4);
  t.strictSame(arrivals([1000, 1100, 1200, 2500, 3999], 1000, 3900), { mean: 2, peak: 3, peakToMean: 1.5 });
});
