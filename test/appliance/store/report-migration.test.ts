import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '@sitewarden/kit/sqlite';
import t from 'tap';
import { answeringReportId, wasAskedFor } from '../../../appliance/healing/queries.ts';
import { MIGRATIONS } from '../../../appliance/store/migrations/index.ts';
import { sixResults } from '../../helpers/agent-client.ts';
import { encodeReport } from '../../helpers/reports.ts';

const BEFORE = MIGRATIONS.findIndex(({ name }) => name === '0006-report-in-order');

t.test('reports of the version before keep their numbers, and which order they answer', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sitewarden-reports-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'appliance.db');
  const old = openDatabase(path, { migrations: MIGRATIONS.slice(0, BEFORE) });
  const insert = old.prepare('INSERT INTO report (id, source, seq, received_at_ms, body) VALUES (?, ?, ?, 9, ?)');
  const { results } = sixResults(1);
  insert.run(5, 'agt_a', 1, encodeReport(1, results));
  insert.run(6, 'agt_a', 2, encodeReport(2, results, 'ord_1'));
  insert.run(8, 'box', 7, Buffer.from('not a report \xff'));
  insert.run(9, 'agt_b', 2, encodeReport(2, results, 'ord_1'));
  old.close();

  const db = openDatabase(path, { migrations: MIGRATIONS });
  t.teardown(() => db.close());
  t.strictSame(db.prepare('SELECT id, source, seq, received_at_ms AS atMs, order_id AS o FROM report').all(), [
    { id: 5, source: 'agt_a', seq: 1, atMs: 9, o: null },
    { id: 6, source: 'agt_a', seq: 2, atMs: 9, o: 'ord_1' },
    { id: 8, source: 'box', seq: 7, atMs: 9, o: null },
    { id: 9, source: 'agt_b', seq: 2, atMs: 9, o: 'ord_1' },
  ]);
  t.equal(answeringReportId(db, 'agt_b', new Set(['ord_0', 'ord_1'])), 9, 'what another agent names does not count');
  t.equal(answeringReportId(db, 'agt_b', new Set(['ord_0'])), undefined);
  t.ok(wasAskedFor(db, 6));
  t.notOk(wasAskedFor(db, 5));
});
