import t from 'tap';
import { createGatheringStage, readCursor } from '../../../appliance/store/index.ts';
import { applianceContext, eventually } from '../../helpers/appliance-context.ts';

interface Row {
  readonly id: number;
}

/** A stage over rows in memory; `writes` says how many rows each commit took. */
function setUp(t: Parameters<typeof applianceContext>[0]) {
  const ctx = applianceContext(t);
  const rows: Row[] = [];
  const writes: { readonly rows: number; readonly atMs: number }[] = [];
  let held = 0;
  let isUrgent = false;
  const stage = createGatheringStage<Row>({
    name: 'assess',
    ctx,
    batch: 10,
    wakeOn: ['report'],
    read: (_db, afterId, limit) => rows.filter(({ id }) => id > afterId).slice(0, limit),
    newestId: () => rows.at(-1)?.id ?? 0,
    beginTurn() {},
    gather(some) {
      held += some.length;
    },
    isUrgent: () => isUrgent,
    write() {
      writes.push({ rows: held, atMs: performance.now() });
      held = 0;
    },
    forget() {
      held = 0;
    },
  });
  const add = () => {
    rows.push({ id: rows.length + 1 });
    ctx.signals.emit('report');
  };
  const written = () => writes.reduce((sum, one) => sum + one.rows, 0);
  const setUrgent = (value: boolean) => {
    isUrgent = value;
  };
  return { ctx, stage, rows, writes, add, written, setUrgent };
}

t.test('a lone row is written at once; a stream that leaves nothing waiting a few times a second', async (t) => {
  const { ctx, stage, writes, add, written } = setUp(t);
  stage.start();
  t.teardown(() => stage.stop());
  add();
  await eventually('the first', () => (writes.length === 1 ? true : undefined));
  const fromMs = performance.now();
  for (let n = 0; n < 200; n += 1) {
    add();
    await new Promise(setImmediate);
  }
  await eventually('all of them', () => (written() === 201 ? true : undefined));
  const tookMs = performance.now() - fromMs;
  t.ok(writes.length <= 3 + tookMs / 100, `${writes.length} commits in ${Math.round(tookMs)} ms`);
  t.equal(readCursor(ctx.db, 'assess'), 201);
});

t.test('what is urgent does not wait, and neither does whoever settles', async (t) => {
  const { ctx, stage, writes, add, setUrgent } = setUp(t);
  stage.start();
  t.teardown(() => stage.stop());
  add();
  await eventually('the first', () => (writes.length === 1 ? true : undefined));
  add();
  await stage.settle();
  t.equal(readCursor(ctx.db, 'assess'), 2);
  setUrgent(true);
  add();
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  t.equal(readCursor(ctx.db, 'assess'), 3);
});

t.test('rows that were gathered and not written come again after a stop', async (t) => {
  const { ctx, stage, writes, add, written } = setUp(t);
  stage.start();
  add();
  await eventually('the first', () => (writes.length === 1 ? true : undefined));
  add();
  await new Promise(setImmediate);
  await stage.stop();
  const left = 2 - readCursor(ctx.db, 'assess');
  t.equal(written(), 2 - left, 'the cursor says what is written');
  stage.start();
  t.teardown(() => stage.stop());
  await eventually('the other', () => (readCursor(ctx.db, 'assess') === 2 ? true : undefined));
});
