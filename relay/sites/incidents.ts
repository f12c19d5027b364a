import type { ActionRunRow } from '@sitewarden/agent-proto/http';
import type { Tx } from '../store/index.ts';
import { readCosignedSizes } from '../store/repositories/evidence.ts';
import { listIncidents, listRunsOf, type StoredIncident } from '../store/repositories/incidents.ts';
import { readCurrentBox } from '../store/repositories/sites.ts';
import { assertSite } from './assert-site.ts';

const DEFAULT_LIMIT = 50;

/** Incidents of a site, opened last first, each with what was done about it. Throws NOT_FOUND. */
export async function listSiteIncidents(
  trx: Tx,
  siteId: string,
  { state = 'open', limit = DEFAULT_LIMIT, nowMs }: { state?: 'open' | 'all'; limit?: number; nowMs: number },
) {
  await assertSite(trx, siteId);
  const box = state === 'open' ? await readCurrentBox(trx, siteId) : undefined;
  // Incidents a former box left open are history, not news.
  if (state === 'open' && box === undefined) return { incidents: [], asOfMs: nowMs };
  const stored = await listIncidents(trx, { siteId, limit, ...(box ? { openOf: box.id } : {}) });
  const runs = await listRunsOf(trx, stored);
  const cosigned = await readCosignedSizes(trx, [...new Set(stored.map(({ applianceId }) => applianceId))]);
  const incidents = stored.map((incident) => {
    const size = cosigned.get(incident.applianceId) ?? 0;
    const own = runs.filter(
      ({ applianceId, row }) => applianceId === incident.applianceId && row.incidentId === incident.row.id,
    );
    return incidentView(
      incident,
      own.map(({ row }) => row),
      size,
    );
  });
  return { incidents, asOfMs: nowMs };
}

/** The relay's cosignature covers every entry below the cosigned size. */
const isCosigned = (evidenceSeq: number | null, size: number): boolean => evidenceSeq !== null && evidenceSeq < size;

function incidentView({ siteId, row }: StoredIncident, runs: readonly ActionRunRow[], size: number) {
  return {
    id: row.id,
    siteId,
    agentId: row.agentId,
    host: row.host,
    check: row.check,
    subject: row.subject,
    severity: row.severity,
    title: row.title,
    reason: row.reason,
    state: row.state,
    nextStep: row.nextStep,
    openedAtMs: row.openedAtMs,
    changedAtMs: row.changedAtMs,
    resolvedAtMs: row.resolvedAtMs,
    evidenceSeq: row.evidenceSeq,
    cosigned: isCosigned(row.evidenceSeq, size),
    actions: runs.map((run) => ({
      id: run.id,
      action: run.action,
      params: run.params,
      state: run.state,
      code: run.code,
      outcome: run.outcome,
      ruleId: run.ruleId,
      ruleVersion: run.ruleVersion,
      startedAtMs: run.startedAtMs,
      finishedAtMs: run.finishedAtMs,
      before: run.before,
      after: run.after,
      evidenceSeq: run.evidenceSeq,
      cosigned: isCosigned(run.evidenceSeq, size),
    })),
  };
}
