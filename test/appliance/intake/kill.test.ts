import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { enroll, openSession, sixResults } from '../../helpers/agent-client.ts';
import { startAppliance } from '../../helpers/appliance.ts';

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

t.test('what was acknowledged survives kill -9, nothing is stored twice, and the agent goes on', async (t) => {
  const dataDir = t.testdir();
  let appliance = await startAppliance({ dataDir, logLevel: 'warn' });
  t.teardown(() => appliance.stop());
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
    appliance = await startAppliance({ dataDir, logLevel: 'warn' });
  }
});

t.test('a second process on the same folder is refused, and the first goes on', async (t) => {
  const dataDir = t.testdir();
  const appliance = await startAppliance({ dataDir });
  t.teardown(() => appliance.stop());
  await t.rejects(startAppliance({ dataDir }), { message: /FILE_LOCKED/ });
  await enroll(await appliance.makeToken());
});

t.test('SIGTERM ends it cleanly', async (t) => {
  const appliance = await startAppliance({ dataDir: t.testdir() });
  t.strictSame(await appliance.stop(), { code: 0, signal: null });
});
