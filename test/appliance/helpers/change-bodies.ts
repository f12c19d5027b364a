import type { Facts } from '@sitewarden/agent-proto/agent';
import { newId } from '@sitewarden/kit/ids';
import type { ActionRunChange, ChangeBodies, IncidentChange } from '../../../appliance/store/changes.ts';
import { changes, insertIncident } from '../../../appliance/store/index.ts';
import type { TestContext } from '../../helpers/appliance-context.ts';

export function incidentChange(facts: Facts = { service: 'cron', state: 'stopped' }): IncidentChange {
  return {
    row: {
      type: 'incident',
      id: newId('inc'),
      agentId: newId('agt'),
      host: 'pc-1',
      check: 'services',
      subject: 'cron',
      severity: 'high',
      title: 'cron is not running',
      reason: 'cron is stopped. Start it.',
      state: 'open',
      ruleId: null,
      openedAtMs: 1,
      changedAtMs: 1,
      resolvedAtMs: null,
      nextStep: 'Start cron.',
      evidenceSeq: null,
    },
    controls: ['HIPAA:164.308(a)(1)(ii)(D)'],
    facts,
  };
}

export function actionRunChange(incident: IncidentChange, state: ActionRunChange['row']['state']): ActionRunChange {
  const { row } = incident;
  return {
    row: {
      type: 'action_run',
      id: newId('run'),
      incidentId: row.id,
      action: 'restart_service',
      params: { service: 'cron' },
      state,
      code: null,
      outcome: 'cron was restarted',
      ruleId: 'required-service-down',
      ruleVersion: 1,
      startedAtMs: 1,
      finishedAtMs: 2,
      before: { state: 'stopped' },
      after: { state: 'running', secret: 'x' },
      evidenceSeq: null,
    },
    ruleDigest: 'ab'.repeat(32),
    target: { agentId: row.agentId, host: row.host, check: row.check, subject: row.subject },
    controls: ['HIPAA:164.308(a)(1)(ii)(D)'],
  };
}

/** An incident with its row in the store, as assess leaves it. */
export function openIncident(ctx: TestContext, facts?: Facts): IncidentChange {
  const change = incidentChange(facts);
  const { type: _type, agentId, ...row } = change.row;
  insertIncident(ctx.db, { ...row, source: agentId!, controls: change.controls, facts: change.facts });
  appendChange(ctx, 'incident_opened', row.id, change);
  return change;
}

export function appendChange<K extends keyof ChangeBodies>(
  ctx: TestContext,
  kind: K,
  refId: string,
  body: ChangeBodies[K],
): number {
  return changes.append(ctx.db, { kind, refId, body, atMs: ctx.clock.nowMs() });
}
