import t from 'tap';
import { reports } from '../../../appliance/store/index.ts';
import { applianceContext, START_MS } from '../../helpers/appliance-context.ts';
import { checkResult, encodeReport } from '../../helpers/reports.ts';

const result = checkResult({ collectedAtMs: START_MS });
const body = encodeReport(1, [result]);

t.test('a report that intake decoded is handed over once, afterwards its row is read', async (t) => {
  const { db } = applianceContext(t);
  const id = reports.insert(db, { source: 'box', seq: 1, receivedAtMs: START_MS, body });
  const decoded = reports.decodeReport({ body: Buffer.from(body) });
  reports.keepFresh(db, id, decoded, body.length);
  t.equal(reports.reportOf(db, id), decoded);
  const again = reports.reportOf(db, id);
  t.not(again, decoded);
  t.strictSame(again, decoded);
});

t.test('what is kept is bounded by results; the oldest give way', async (t) => {
  const { db } = applianceContext(t);
  const large = { ...reports.decodeReport({ body: Buffer.from(body) }), results: new Array(256).fill(result) };
  for (let id = 1; id <= 200; id += 1) reports.keepFresh(db, id, large, 1);
  t.throws(() => reports.reportOf(db, 1), 'only its row could tell, and there is none');
  t.equal(reports.reportOf(db, 200), large);
});

t.test('and by bytes: a few large ones do not stay in memory either', async (t) => {
  const { db } = applianceContext(t);
  const decoded = reports.decodeReport({ body: Buffer.from(body) });
  for (let id = 1; id <= 20; id += 1) reports.keepFresh(db, id, { ...decoded }, 1024 * 1024);
  for (let id = 1; id <= 12; id += 1) t.throws(() => reports.reportOf(db, id));
  for (let id = 13; id <= 20; id += 1) t.strictSame(reports.reportOf(db, id), decoded);
});
