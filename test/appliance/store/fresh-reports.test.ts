import t from 'tap';
import { reports } from '../../../appliance/store/index.ts';
import { applianceContext, START_MS } from '../../helpers/appliance-context.ts';
import { checkResult, encodeReport } from '../../helpers/reports.ts';

const result = checkResult({ collectedAtMs: START_MS });
const body = encodeReport(1, [result]);
const headOf = (id: number) => ({ id, source: 'box', seq: id, receivedAtMs: START_MS });

t.test('a report that intake decoded is handed over once, afterwards its row is read', async (t) => {
  const { db } = applianceContext(t);
  const id = reports.insert(db, { source: 'box', seq: 1, receivedAtMs: START_MS, body });
  const decoded = reports.decodeReport({ body: Buffer.from(body) });
  reports.keepFresh(db, { head: headOf(id), report: decoded, bytes: body.length });
  t.equal(reports.reportOf(db, id), decoded);
  const again = reports.reportOf(db, id);
  t.not(again, decoded);
  t.strictSame(again, decoded);
});

t.test('what is kept is bounded by results: what comes in later is not kept', async (t) => {
  const { db } = applianceContext(t);
  const large = { ...reports.decodeReport({ body: Buffer.from(body) }), results: new Array(256).fill(result) };
  for (let id = 1; id <= 200; id += 1) reports.keepFresh(db, { head: headOf(id), report: large, bytes: 1 });
  t.equal(reports.reportOf(db, 1), large);
  t.throws(() => reports.reportOf(db, 200), 'only its row could tell, and there is none');
  reports.keepFresh(db, { head: headOf(201), report: large, bytes: 1 });
  t.equal(reports.reportOf(db, 201), large, 'there is room for it again');
});

t.test('and by bytes: a few large ones do not stay in memory either', async (t) => {
  const { db } = applianceContext(t);
  const decoded = reports.decodeReport({ body: Buffer.from(body) });
  const keep = (id: number) => reports.keepFresh(db, { head: headOf(id), report: { ...decoded }, bytes: 1024 * 1024 });
  for (let id = 1; id <= 20; id += 1) keep(id);
  for (let id = 1; id <= 8; id += 1) t.strictSame(reports.reportOf(db, id), decoded);
  for (let id = 9; id <= 20; id += 1) t.throws(() => reports.reportOf(db, id));
});

t.test('what the reader has passed makes room, read or not', async (t) => {
  const { db } = applianceContext(t);
  const decoded = reports.decodeReport({ body: Buffer.from(body) });
  for (let id = 1; id <= 8; id += 1) {
    reports.keepFresh(db, { head: headOf(id), report: decoded, bytes: 1024 * 1024 });
  }
  t.strictSame(reports.headsSince(db, 7, 10), [headOf(8)]);
  t.throws(() => reports.reportOf(db, 7));
  reports.keepFresh(db, { head: headOf(9), report: decoded, bytes: 1024 * 1024 });
  t.equal(reports.reportOf(db, 9), decoded);
});

t.test('heads come in order, each once, whether they were kept or only their rows are there', async (t) => {
  const { db } = applianceContext(t);
  const report = reports.decodeReport({ body: Buffer.from(body) });
  const ids: number[] = [];
  for (let seq = 1; seq <= 12; seq += 1) {
    const id = reports.insert(db, { source: 'box', seq, receivedAtMs: START_MS, body });
    ids.push(id);
    if (seq !== 3 && seq < 9) reports.keepFresh(db, { head: headOf(id), report, bytes: body.length });
  }
  for (const limit of [1, 2, 3, 5, 100]) {
    const seen: number[] = [];
    for (let after = 0; ; after = seen.at(-1)!) {
      const heads = reports.headsSince(db, after, limit);
      if (heads.length === 0) break;
      t.ok(heads.length <= limit);
      t.strictSame(
        heads,
        heads.map(({ id }) => headOf(id)),
      );
      seen.push(...heads.map(({ id }) => id));
    }
    t.strictSame(seen, ids, `read ${limit} at a time`);
  }
});
