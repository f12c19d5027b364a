import t from 'tap';
import { RETENTION_SQL } from '../../../appliance/assess/retention.ts';
import { HEALING_SQL } from '../../../appliance/healing/queries.ts';
import { AGENT_ORDER_SQL } from '../../../appliance/store/agent-orders.ts';
import { ACTION_RUN_SQL, INCIDENT_SQL, RESULT_SQL } from '../../../appliance/store/index.ts';
import { applianceContext } from '../../helpers/appliance-context.ts';

/** Queries that run every second, or for every result: none may read what is finished. */
const PINNED = {
  [RESULT_SQL.latest]: 'SEARCH result_latest USING PRIMARY KEY',
  [RESULT_SQL.newestRun]: 'SEARCH result_history USING COVERING INDEX result_history_by_subject',
  [RESULT_SQL.extendHistory]: 'SEARCH result_history USING INTEGER PRIMARY KEY',
  [INCIDENT_SQL.openOf]: 'SEARCH incident USING INDEX incident_one_open',
  [INCIDENT_SQL.open]: 'SCAN incident USING INDEX incident_one_open',
  [INCIDENT_SQL.countOpen]: 'SCAN incident USING INDEX incident_one_open',
  [INCIDENT_SQL.recentlyResolved]: 'SCAN incident USING INDEX incident_resolved',
  [INCIDENT_SQL.countEnded]: 'SEARCH incident USING COVERING INDEX incident_ended',
  [ACTION_RUN_SQL.active]: 'SCAN action_run USING INDEX action_run_active',
  [ACTION_RUN_SQL.recent]: 'SCAN action_run USING INDEX action_run_recent',
  [ACTION_RUN_SQL.ofTarget]: 'SEARCH action_run USING INDEX action_run_by_target',
  [AGENT_ORDER_SQL.byActionRun]: 'SEARCH agent_order USING INDEX agent_order_by_run',
  [HEALING_SQL.lastRecheck]: 'SEARCH agent_order USING INDEX agent_order_open',
  [HEALING_SQL.answer]: 'SEARCH report USING INDEX report_by_order',
  [HEALING_SQL.orderOfReport]: 'SEARCH report USING INTEGER PRIMARY KEY',
  [RETENTION_SQL.pruneReports]: 'SEARCH report USING INTEGER PRIMARY KEY',
};

t.test('the queries of every second use the index made for them', async (t) => {
  const { db } = applianceContext(t);
  for (const [sql, plan] of Object.entries(PINNED)) {
    // Values do not change a plan: named and numbered parameters are all left null.
    const text = sql.replaceAll(/\?|@\w+/g, 'NULL');
    const steps = db.prepare(`EXPLAIN QUERY PLAN ${text}`).all() as { detail: string }[];
    t.match(steps.map(({ detail }) => detail).join('; '), plan, sql.trim().slice(0, 60));
  }
});
