import { join } from 'node:path';
import { openDatabase } from '@sitewarden/kit/sqlite';
import t from 'tap';
import { QUEUE_MIGRATIONS } from '../../../agent/queue/migrations/index.ts';
import { SQL } from '../../../agent/queue/sql.ts';

/** What each hot statement may look through; a full scan of the reports would show up as SCAN report. */
const PLANS: Record<keyof typeof SQL, RegExp[]> = {
  insertReport: [],
  nextReports: [/^SEARCH report USING INTEGER PRIMARY KEY/],
  nextUnnumbered: [/^SEARCH report USING COVERING INDEX sqlite_autoindex_report_1 \(seq=/],
  setSeq: [/^SEARCH report USING INTEGER PRIMARY KEY/],
  setLastSeq: [/^SEARCH agent_state USING INTEGER PRIMARY KEY/],
  // Its first row ends it.
  oldest: [/^SCAN report$/],
  firstSeq: [/^SEARCH report USING COVERING INDEX sqlite_autoindex_report_1/],
  deleteThrough: [/^SEARCH report USING (COVERING )?INDEX sqlite_autoindex_report_1 \(seq</],
  deleteOldest: [
    /^SEARCH report USING INTEGER PRIMARY KEY/,
    /^LIST SUBQUERY/,
    /^SEARCH report USING COVERING INDEX sqlite_autoindex_report_1 \(seq=/,
  ],
  deleteAged: [
    /^SEARCH report USING (COVERING )?INDEX report_by_age \(seq=\? AND created_at_ms>\? AND created_at_ms<\?\)/,
  ],
  countLoss: [],
  waitingReceipts: [/^SEARCH order_receipt USING INDEX order_receipt_waiting/],
  findOrder: [/^SEARCH agent_order USING PRIMARY KEY/],
};

t.test('each hot statement uses the index made for it', async (t) => {
  const db = openDatabase(join(t.testdir(), 'queue.db'), { migrations: QUEUE_MIGRATIONS });
  for (const [name, sql] of Object.entries(SQL)) {
    const names = [...sql.matchAll(/@(\w+)/g)].map((match) => match[1]!);
    const rows = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(Object.fromEntries(names.map((key) => [key, 1]))) as {
      detail: string;
    }[];
    const details = rows.map(({ detail }) => detail);
    const expected = PLANS[name as keyof typeof SQL];
    t.equal(details.length, expected.length, `${name}: ${details.join(' | ')}`);
    for (const [index, detail] of details.entries()) t.match(detail, expected[index]!, name);
  }
  db.close();
});
