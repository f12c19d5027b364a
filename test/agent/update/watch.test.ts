import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLogger } from '@sitewarden/kit/log';
import { openDatabase, type SqliteDatabase } from '@sitewarden/kit/sqlite';
import { systemClock } from '@sitewarden/kit/time';
import t, { type Test } from 'tap';
import { keepQueue, openQueue, putQueueBack, QUEUE_MIGRATIONS } from '../../../agent/queue/index.ts';
import { readJournal, type UpdateJournal, writeJournal } from '../../../agent/update/journal.ts';
import { keptOf, putBack, putInPlace } from '../../../agent/update/swap.ts';
import { watchUpdate } from '../../../agent/update/watch.ts';

const log = createLogger({ name: 'agent', level: 'silent' });

function machine(t: Test) {
  const dataDir = t.testdir({ bin: { agent: 'old' } });
  const program = join(dataDir, 'bin', 'agent');
  const files = { program, kept: keptOf(program) };
  const journal: UpdateJournal = {
    ...{ version: 1, orderId: 'ord_1', from: '1.0.0', to: '2.0.0', migrations: 2, starts: 0, isBack: false },
    ...files,
  };
  const inPlace = () => readFileSync(program, 'utf8');
  const start = (version: string, migrations = 2) =>
    watchUpdate({ dataDir, version, migrations, connectWithinMs: 50, log });
  const swap = async () => {
    writeFileSync(`${program}.part`, 'new');
    await putInPlace(`${program}.part`, files);
  };
  return { dataDir, program, files, journal, inPlace, start, swap };
}

t.test(
  'the new program takes the place of the old one, which is kept; putting it back can be done twice',
  async (t) => {
    const { program, files, inPlace, swap } = machine(t);
    await swap();
    t.equal(inPlace(), 'new');
    t.equal(statSync(program).mode & 0o777, 0o755);
    t.equal(readFileSync(files.kept, 'utf8'), 'old');
    for (const _ of [1, 2]) {
      await putBack(files);
      t.equal(inPlace(), 'old');
      t.notOk(existsSync(`${program}.back`));
    }
    await swap();
    t.equal(inPlace(), 'new');
    t.equal(readFileSync(files.kept, 'utf8'), 'old');
  },
);

t.test('stopped before the swap, the old program says that it stayed', async (t) => {
  const { dataDir, journal, start } = machine(t);
  await writeJournal(dataDir, journal);
  const watch = await start('1.0.0');
  t.equal(watch.pendingOrderId, undefined);
  t.match(watch.left, { orderId: 'ord_1', failure: { code: 'UPDATE_STOPPED' }, after: { agent_version: '1.0.0' } });
  await watch.forget();
  t.equal(await readJournal(dataDir), undefined);
});

t.test('stopped after it, the new one answers once it is connected, once', async (t) => {
  const { dataDir, journal, start, swap } = machine(t);
  await writeJournal(dataDir, journal);
  await swap();
  const watch = await start('2.0.0');
  t.match(watch, { pendingOrderId: 'ord_1', isExhausted: false, left: undefined });
  const end = { orderId: 'ord_1', before: { agent_version: '1.0.0' }, after: { agent_version: '2.0.0' } };
  t.strictSame(watch.connected(), end);
  t.equal(watch.connected(), undefined);
});

t.test('one that does not connect in time is put back, and the old one says so', async (t) => {
  const { dataDir, journal, inPlace, start, swap } = machine(t);
  await writeJournal(dataDir, journal);
  await swap();
  const watch = await start('2.0.0');
  await watch.tooLate;
  await watch.rollBack();
  t.equal(inPlace(), 'old');
  t.match((await start('1.0.0')).left, { failure: { code: 'UPDATE_ROLLED_BACK' }, after: { agent_version: '1.0.0' } });
});

t.test('stopped while it puts the old one back, it goes on with that before anything else', async (t) => {
  const { dataDir, journal, inPlace, start, swap } = machine(t);
  await swap();
  await writeJournal(dataDir, { ...journal, isBack: true });
  const watch = await start('2.0.0');
  t.match(watch, { isExhausted: true, pendingOrderId: undefined });
  await watch.rollBack();
  t.equal(inPlace(), 'old');
});

t.test('one that is started again and again without connecting gives up its place', async (t) => {
  const { dataDir, journal, start, swap } = machine(t);
  await writeJournal(dataDir, journal);
  await swap();
  for (let count = 1; count <= 5; count++) {
    const watch = await start('2.0.0');
    t.equal(watch.isExhausted, false, `start ${count}`);
    watch.stop();
  }
  t.equal((await start('2.0.0')).isExhausted, true);
});

t.test('a queue whose form a newer program changed comes back as it was, with what is in it', async (t) => {
  const { dataDir } = machine(t);
  const caps = { maxRows: 100, maxAgeMs: 1e10 };
  const before = openQueue(dataDir, caps, systemClock);
  before.reports.bindAgent('agt_1');
  before.close();
  await keepQueue(dataDir);
  const tomorrow = { name: '0003-of-tomorrow', up: (db: SqliteDatabase) => void db.exec('DROP TABLE order_undo') };
  openDatabase(join(dataDir, 'queue.db'), { migrations: [...QUEUE_MIGRATIONS, tomorrow] }).close();
  t.throws(() => openQueue(dataDir, caps, systemClock), { code: 'DATA_DIR_UNUSABLE' });
  await keepQueue(dataDir);
  await putQueueBack(dataDir);
  const again = openQueue(dataDir, caps, systemClock);
  t.equal(again.setAside, undefined);
  again.close();
});
