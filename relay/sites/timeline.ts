import type { CheckSeverity } from '@sitewarden/agent-proto/checks';
import type { ActionRunRow, IncidentRow } from '@sitewarden/agent-proto/http';
import { MOVED_KEY_ASKED_AGAIN } from '../lib/alarms.ts';
import { type ShownOrder, viewOrder } from '../orders/index.ts';
import { RETIRED_KEY_USED } from '../rotation/index.ts';
import type { Tx } from '../store/index.ts';
import { listEntries, readLog } from '../store/repositories/evidence.ts';
import { listIncidents, listRuns } from '../store/repositories/incidents.ts';
import { listOrders } from '../store/repositories/orders.ts';
import { type CurrentBox, listSiteAudit, readCurrentBox, type SiteAuditRow } from '../store/repositories/sites.ts';
import { assertSite } from './assert-site.ts';

export interface TimelineItem {
  atMs: number;
  kind: 'claim' | 'incident' | 'repair' | 'order' | 'evidence' | 'config' | 'agent' | 'alarm';
  text: string;
  actor: string;
  severity: CheckSeverity | null;
  ref: string | null;
  /** The entry of the evidence log this line is; null: the relay's own word. */
  entry: { seq: number; cosigned: boolean } | null;
}

/** How much of the log of the current box is here, and how much of that is cosigned. */
interface LogSizes {
  readonly received: number;
  readonly cosigned: number;
}

/** Of each kind; the page shows what is newest among them. */
const PER_SOURCE = 100;
const MAX_ITEMS = 200;

/** What happened at a site, newest first, its claim always among it. Throws NOT_FOUND. */
export async function readTimeline(trx: Tx, siteId: string, nowMs: number) {
  await assertSite(trx, siteId);
  const box = await readCurrentBox(trx, siteId);
  const incidents = await listIncidents(trx, { siteId, limit: PER_SOURCE });
  const runs = await listRuns(trx, siteId, PER_SOURCE);
  const orders = await listOrders(trx, siteId, PER_SOURCE);
  const audit = await listSiteAudit(trx, siteId, PER_SOURCE);
  const log = box && (await readLog(trx, { applianceId: box.id, epoch: box.epoch }));
  const sizes: LogSizes = { received: log?.receivedSize ?? 0, cosigned: log?.cosignedSize ?? 0 };
  const items = [
    ...incidents.flatMap(({ row }) => incidentItems(row)),
    ...runs.map(runItem),
    ...orders.map((order) => orderItem(viewOrder(order, nowMs))),
    ...audit.map(auditItem),
    ...(box ? await entryItems(trx, box, sizes) : []),
  ].sort((a, b) => b.atMs - a.atMs);
  const claim = box ? [claimItem(box, sizes)] : [];
  // Whatever happened after it, the beginning is never cut off.
  const shown = [...items.slice(0, MAX_ITEMS - claim.length), ...claim].sort((a, b) => b.atMs - a.atMs);
  return { items: shown.map(clip), asOfMs: nowMs };
}

/** The claim is entry 0 of its log: whoever has the proof of that need not believe this line. */
const claimItem = (box: CurrentBox, { received, cosigned }: LogSizes): TimelineItem => ({
  atMs: box.claimedAtMs,
  kind: 'claim',
  text: `Box ${box.serial} was claimed for this site.`,
  actor: box.claimedBy,
  severity: null,
  ref: box.id,
  entry: received > 0 ? { seq: 0, cosigned: cosigned > 0 } : null,
});

function incidentItems(row: IncidentRow): TimelineItem[] {
  const base = { kind: 'incident' as const, severity: row.severity, ref: row.id, entry: null };
  // Only the newest reason is kept, which may be that all is well again.
  const opened = { ...base, atMs: row.openedAtMs, text: `${row.title}: opened.`, actor: `check:${row.check}` };
  if (row.resolvedAtMs === null) return [opened];
  return [opened, { ...base, atMs: row.resolvedAtMs, text: `${row.title}: resolved.`, actor: `check:${row.check}` }];
}

const runItem = (row: ActionRunRow): TimelineItem => ({
  atMs: row.finishedAtMs ?? row.startedAtMs,
  kind: 'repair',
  text: `${row.action}: ${row.state.replace('_', ' ')}${row.outcome ? `, ${row.outcome}` : ''}`,
  actor: `rule:${row.ruleId}`,
  severity: null,
  ref: row.incidentId,
  entry: null,
});

const orderItem = (order: ShownOrder): TimelineItem => ({
  atMs: order.changedAtMs,
  kind: 'order',
  text: `${order.action}: ${order.state}${order.detail ? `, ${order.detail}` : ''}`,
  actor: order.requestedBy,
  severity: null,
  ref: order.id,
  entry: null,
});

const ALARMS: ReadonlySet<string> = new Set(['appliance.quarantined', 'evidence.refused', 'checkin.old_token_refused']);

/** Alarms are what no one at the site ordered; the rest are settings. */
function auditItem(row: SiteAuditRow): TimelineItem {
  const detail = JSON.parse(row.detail) as Record<string, unknown>;
  const isAlarm = ALARMS.has(row.action);
  return {
    atMs: row.atMs,
    kind: isAlarm ? 'alarm' : 'config',
    text: isAlarm ? alarmText(row.action, detail) : settingsText(row.action, detail),
    actor: row.actor,
    severity: isAlarm ? 'critical' : null,
    ref: null,
    entry: null,
  };
}

function alarmText(action: string, detail: Record<string, unknown>): string {
  if (action === 'appliance.quarantined' && detail.reason === RETIRED_KEY_USED) {
    return 'Somebody uses a device key that the box has replaced: there is a copy of it. The box gets no orders.';
  }
  if (action === 'appliance.quarantined' && detail.reason === MOVED_KEY_ASKED_AGAIN) {
    return 'A second machine with the device key of the box that moved here asked for its place. The box gets no orders.';
  }
  if (action === 'appliance.quarantined') return 'Two boxes use the identity of this site; neither gets orders.';
  if (action === 'checkin.old_token_refused') {
    return 'Something with the device key of this box, whose last check-in is long superseded, asked for what is meant for the box and got nothing: there may be a copy of its disk. Replace the device key of the box.';
  }
  return `Evidence was refused (${String(detail.code)}): ${String(detail.message)}`;
}

const becauseOf = ({ reason }: Record<string, unknown>) => (reason ? ` Reason: ${String(reason)}` : '');

/** How a box came to leave the site, or went on under another key. */
const CUSTODY_TEXTS: Readonly<Record<string, (detail: Record<string, unknown>) => string>> = {
  'box.release_ordered': (detail) =>
    `Box ${String(detail.serial)} is to be released: it closes its log and leaves.${becauseOf(detail)}`,
  'box.release_withdrawn': () => 'The release was taken back before the box had it.',
  'box.move_cancelled': (detail) => `Box ${String(detail.serial)}, on its way here, is not expected any more.`,
  'box.released': (detail) =>
    `Box ${String(detail.serial)} closed its log at ${String(detail.size)} entries and left the site.`,
  'box.removed': (detail) => `Box ${String(detail.serial)} was removed without its word.${becauseOf(detail)}`,
  'box.replaced': (detail) => `Box ${String(detail.serial)} was taken out of service by another box.`,
  'box.rearmed': (detail) =>
    `Box ${String(detail.serial)} goes on under a new key in epoch ${String(detail.epoch)}; epoch ${String(detail.lastEpoch)} ends at ${String(detail.lastSize)} cosigned entries.`,
};

function settingsText(action: string, detail: Record<string, unknown>): string {
  if (action === 'site.created') return 'The site was created.';
  const custody = CUSTODY_TEXTS[action];
  if (custody !== undefined) return custody(detail);
  if (action === 'appliance.dik_rotated') return 'The box replaced its device key.';
  if (action === 'appliance.released') return 'The box was released from quarantine.';
  if (action === 'checkin.state_restored') {
    return 'The box was ahead of the relay, whose database is from a backup. It went on from there.';
  }
  if (action === 'site.config_reissued') {
    return `The box had settings of a later date than the relay (${String(detail.boxHad)}). Those shown here were sent to it again: check that they are the right ones.`;
  }
  const changes = Object.entries(detail).map(([name, value]) => `${name} = ${String(value)}`);
  return `Settings changed: ${changes.join(', ')}`;
}

/** Agents that came and went, and settings the box took over, as its own log tells. */
async function entryItems(trx: Tx, box: CurrentBox, { cosigned }: LogSizes): Promise<TimelineItem[]> {
  const key = { applianceId: box.id, epoch: box.epoch };
  const kinds = ['agent_enrolled', 'agent_removed', 'config_applied', 'loss', 'evk_rotated'];
  const entries = await listEntries(trx, key, { limit: PER_SOURCE, kinds });
  return entries.map((entry) => ({
    atMs: entry.wallTimeMs,
    kind: entry.kind.startsWith('agent_') ? 'agent' : entry.kind === 'config_applied' ? 'config' : 'evidence',
    text: entry.outcomeText,
    actor: entry.actor,
    severity: null,
    ref: String(entry.seq),
    entry: { seq: entry.seq, cosigned: entry.seq < cosigned },
  }));
}

/** The bounds of the contract. */
const clip = (item: TimelineItem): TimelineItem => ({
  ...item,
  text: item.text.slice(0, 1024),
  actor: item.actor.slice(0, 256),
});
