import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
import t from 'tap';
import { enroll, openSession, sixResults } from '../../helpers/agent-client.ts';
import { startAppliance, type TestAppliance } from '../../helpers/appliance.ts';

interface StoredReports {
  readonly seqs: number[];
  readonly ackedThrough: number;
}

function stored(dataDir: string): StoredReports {
  const Database = createRequire(new URL('../../../appliance/package.json', import.meta.url))('better-sqlite3');
  const db = new Database(join(dataDir, 'appliance.db'));
  try {
    const seqs = db.prepare("SELECT seq FROM report WHERE source <> 'box' ORDER BY id").pluck().all() as number[];
    const ackedThrough = db.prepare('SELECT acked_through FROM agent').pluck().get() as number;
    return { seqs, ackedThrough };
  } finally {
    db.close();
  }
}

/** A data folder and its programs; the programs end before the folder goes. */
function home(t: Test) {
  const dataDir = mkdtempSync(join(tmpdir(), 'sitewarden-kill-'));
  const running: TestAppliance[] = [];
  t.teardown(async () => {
    for (const appliance of running) await appliance.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });
  return {
    dataDir,
    async start() {
      const appliance = await startAppliance({ dataDir, logLevel: 'warn' });
      running.push(appliance);
      return appliance;
    },
  };
}

t.test('what was acknowledged survives kill -9, nothing is stored twice, and the agent goes on', async (t) => {
  const { dataDir, start } = home(t);
  let appliance = await start();
  const identity = await enroll(await appliance.makeToken());
  let acked = 0;
  for (let round = 0; round < 3; round += 1) {
    const session = await openSession(appliance.intakeAddress, identity);
    session.stream.on('error', () => {});
    t.ok(session.ackedThrough() >= acked, `welcomed at ${session.ackedThrough()}, ${acked} were acknowledged`);
    const first = session.ackedThrough() + 1;
    for (let seq = first; seq < first + 400; seq += 1) session.send({ $case: 'report', value: sixResults(seq) });
    while (session.ackedThrough() < first + 20) await delay(1);
    appliance.kill('SIGKILL');
    await appliance.exited;
    acked = session.ackedThrough();
    session.close();
    const { seqs, ackedThrough } = stored(dataDir);
    t.ok(ackedThrough >= acked, `${acked} acknowledged, ${ackedThrough} stored`);
    t.equal(new Set(seqs).size, seqs.length, 'no number twice');
    t.equal(Math.max(...seqs), ackedThrough, 'the agent row tells what is there');
    appliance = await start();
  }
});

t.test('a second process on the same folder is refused, and the first goes on', async (t) => {
  const { start } = home(t);
  const appliance = await start();
  await t.rejects(start(), { message: /FILE_LOCKED/ });
  await enroll(await appliance.makeToken());
});

t.test('SIGTERM ends it cleanly', async (t) => {
  const { start } = home(t);
  const appliance = await start();
  t.strictSame(await appliance.stop(), { code: 0, signal: null });
});
