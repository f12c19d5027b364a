import { randomInt } from 'node:crypto';
import t from 'tap';
import type { Positions } from '../../../relay/ingest/index.ts';
import type { Store } from '../../../relay/store/index.ts';
import { ingestRig } from '../../helpers/ingest-rig.ts';
import { onBothEngines } from '../../helpers/relay-stores.ts';
import { outboxBody } from '../../helpers/sim-log.ts';
import { incidentRow } from '../../helpers/sim-rows.ts';
import { seededRandom } from '../../prove/lib/random.ts';

const ROWS = 300;

/**
 * A box that sends its rows in batches cut anew each time. One answer in five is lost, so the rows come again; one
 * request in ten arrives twice, the second time at once or later. Every write the store makes for a row is counted by
 * the engine itself.
 */
async function drive(store: Store, options: { seed: number; positions?: (firstSeq: () => number) => Positions }) {
  let firstSeq = 1;
  const rig = await ingestRig(store, options.positions ? { positions: options.positions(() => firstSeq) } : {});
  await store.sqliteBatch?.((db) => {
    db.exec('CREATE TABLE proof_effect (id TEXT NOT NULL)');
    for (const verb of ['INSERT', 'UPDATE']) {
      db.exec(
        `CREATE TRIGGER proof_${verb} AFTER ${verb} ON incident BEGIN INSERT INTO proof_effect VALUES (new.id); END`,
      );
    }
  });
  const random = seededRandom(options.seed);
  const rows = Array.from({ length: ROWS }, () => incidentRow());
  const late: Buffer[] = [];
  let acked = 0;
  let newRows = 0;
  const send = async (body: Buffer, from: number) => {
    firstSeq = from;
    const answer = await rig.ingest(body);
    newRows += answer.newRows;
    return answer;
  };
  while (acked < ROWS) {
    const to = Math.min(ROWS, acked + 1 + Math.floor(random() * 40));
    const from = Math.max(0, acked - Math.floor(random() * 5));
    const body = outboxBody({ lane: 'incidents', firstSeq: from + 1, rows: rows.slice(from, to) });
    const answer = await send(body, from + 1);
    if (random() < 0.1) await send(body, from + 1);
    if (random() < 0.1) late.push(body);
    if (random() >= 0.2) acked = answer.ackedThrough;
  }
  for (const body of late) await send(body, JSON.parse(body.toString().split('\n')[0] as string).firstSeq);
  const stored = await rig.within((trx) => trx.selectFrom('incident').select('id').execute());
  const effects = await store.sqliteBatch?.(
    (db) => db.prepare('SELECT id FROM proof_effect').pluck().all() as string[],
  );
  return { ids: rows.map(({ id }) => id).sort(), stored: stored.map(({ id }) => id).sort(), effects, newRows };
}

t.test('rows have their effect exactly once', async (t) => {
  const seed = randomInt(2 ** 31);
  t.comment(`seed ${seed}`);
  await onBothEngines(t, {
    'whichever answers are lost and whichever requests come twice': async (t, store) => {
      const { ids, stored, effects, newRows } = await drive(store, { seed });
      t.same(stored, ids, 'every row is there');
      t.equal(newRows, ROWS, 'and counted once');
      if (effects) t.same([...effects].sort(), ids, 'and written once');
    },
    'and without the position they have it several times': async (t, store) => {
      const positions = (firstSeq: () => number): Positions => ({
        lock: async () => firstSeq() - 1,
        save: async () => {},
      });
      const { ids, effects, newRows } = await drive(store, { seed, positions });
      t.ok(newRows > ROWS, `${newRows - ROWS} rows counted again`);
      if (effects) t.ok(effects.length > ids.length, `${effects.length - ids.length} rows written again`);
    },
  });
});
