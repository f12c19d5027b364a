import {
  type EntryKind,
  type EvidencePredicate,
  keyTurnFacts,
  onlyClosedFacts,
} from '@sitewarden/agent-proto/evidence';
import type { AgentRow } from '@sitewarden/agent-proto/http';
import type { ChangeBodies, ChangeKind, ChangeRow, NOT_EVIDENCE } from '../store/changes.ts';
import { type EntryDraft, snapshotOf } from './entry-text.ts';
import { boundShort, boundText, evidenceControls, evidenceParams, MAX_TEXT, ownFacts, plainName } from './facts.ts';
import { codeOf, incidentText, ORDER_OUTCOMES, OUTCOMES, osFacts, subjectName } from './words.ts';

/** What every entry says about the moment it was written. */
export type EntryMoment = Pick<EvidencePredicate, 'bootId' | 'monotonicMs' | 'timeQuality'>;

type Draft = Omit<EntryDraft, keyof EntryMoment | 'wallTimeMs' | 'kind'>;
type IncidentCode = Parameters<typeof incidentText>[1];
type Drafter<K extends keyof ChangeBodies> = (body: ChangeBodies[K]) => Draft;

const NOTHING = {
  incidentId: null,
  orderId: null,
  rule: null,
  action: null,
  before: null,
  after: null,
  controls: [],
} as const;

const own = { agentId: null, host: '', check: null, subject: '' } as const;

const claimed: Drafter<'claimed'> = (body) => ({
  ...NOTHING,
  controls: [],
  actor: { type: 'staff', id: boundShort(body.claimedBy) },
  target: { ...own, host: boundShort(body.serial), subject: body.applianceId },
  after: snapshotOf(
    ownFacts({
      appliance_id: body.applianceId,
      site_id: body.siteId,
      site_name: body.siteName,
      partner_name: body.partnerName,
      epoch: body.epoch,
      relay_host: body.relayHost,
      claimed_by: body.claimedBy,
      claimed_at_ms: body.claimedAtMs,
      code_id: body.codeId,
      dik: body.keys.dik,
      evk: body.keys.evk,
      seal: body.keys.seal,
      serial: body.serial,
      model: body.model,
      software_version: body.softwareVersion,
      image_digest: body.imageDigest,
      ...(body.previous && {
        previous_epoch: body.previous.epoch,
        previous_size: body.previous.size,
        previous_root: body.previous.rootHash,
        ...(body.previous.origin !== undefined && { previous_origin: body.previous.origin }),
      }),
    }),
  ),
  outcome: { code: 'claimed', text: boundText(`Claimed for ${body.siteName} by ${body.claimedBy}`) },
});

const configApplied: Drafter<'config_applied'> = (body) => ({
  ...NOTHING,
  controls: [],
  actor: { type: 'system', id: 'relay' },
  target: { ...own, subject: String(body.generation) },
  after: snapshotOf({ generation: body.generation, issued_at_ms: body.issuedAtMs, envelope_sha256: body.digest }),
  outcome: { code: 'applied', text: `Site configuration ${body.generation} is in force` },
});

function agentEntry(row: AgentRow, by: Draft['actor'], outcome: Draft['outcome']): Draft {
  return {
    ...NOTHING,
    controls: [],
    actor: by,
    target: { agentId: row.id, host: plainName(row.hostname), check: null, subject: '' },
    after: snapshotOf({ ...osFacts(row), tier: row.tier, state: row.state }),
    outcome,
  };
}

/** Nothing of an entry about a workstation is text the workstation wrote: the log is signed, and kept for years. */
function incidentEntry({ row, controls, facts }: ChangeBodies['incident_opened'], code: IncidentCode): Draft {
  return {
    ...NOTHING,
    actor: row.agentId === null ? { type: 'system', id: 'box' } : { type: 'agent', id: row.agentId },
    target: { agentId: row.agentId, host: plainName(row.host), check: row.check, subject: subjectName(row.subject) },
    incidentId: row.id,
    after: snapshotOf(onlyClosedFacts(facts, row.check)),
    outcome: { code, text: incidentText(row, code) },
    controls: evidenceControls(controls, row.check),
  };
}

function actionEntry({ row, ruleDigest, target, controls }: ChangeBodies['action_started']): Draft {
  return {
    ...NOTHING,
    actor: { type: 'rule', id: boundShort(row.ruleId) },
    target: {
      agentId: target.agentId,
      host: plainName(target.host),
      check: target.check as Draft['target']['check'],
      subject: subjectName(target.subject),
    },
    incidentId: row.incidentId,
    rule: { id: boundShort(row.ruleId), version: row.ruleVersion, digest: ruleDigest },
    action: { name: boundShort(row.action), runId: row.id, params: evidenceParams(row.params, target.check) },
    before: snapshotOf(onlyClosedFacts(row.before, target.check)),
    after: snapshotOf(onlyClosedFacts(row.after, target.check)),
    outcome: { code: codeOf(row), text: OUTCOMES[row.state] },
    controls: evidenceControls(controls, target.check),
  };
}

/** Of what a workstation said to an order no word is left: the box's own words, known codes and closed facts. */
function orderEntry(body: ChangeBodies['order_received'], kind: 'received' | 'finished'): Draft {
  const { target, before, after, state } = body;
  const check = target?.check ?? null;
  const params = evidenceParams(body.params, check);
  const isAnswered = kind === 'finished' && check !== null && after !== undefined;
  const code = body.isAnswer === true ? codeOf({ code: body.code, state }) : (body.code ?? state);
  return {
    ...NOTHING,
    controls: [],
    actor: { type: 'staff', id: boundShort(body.requestedBy) },
    target: {
      agentId: target?.agentId ?? null,
      host: plainName(target?.host ?? ''),
      check: check as Draft['target']['check'],
      subject: boundShort(body.action),
    },
    orderId: body.orderId,
    action: { name: boundShort(body.action), runId: null, params },
    before: isAnswered ? snapshotOf(onlyClosedFacts(before ?? {}, check)) : null,
    after: snapshotOf(isAnswered ? onlyClosedFacts(after, check) : { seq: body.orderSeq, ...params }),
    outcome: {
      code: boundShort(kind === 'received' ? 'received' : code),
      text: boundText(body.isAnswer === true ? ORDER_OUTCOMES[state] : body.detail),
    },
  };
}

const lossEntry: Drafter<'loss'> = ({ what, count, code, text }) => ({
  ...NOTHING,
  controls: [],
  actor: { type: 'system', id: 'box' },
  target: { ...own, subject: boundShort(what) },
  after: count === null ? null : snapshotOf({ rows: count }),
  outcome: { code: boundShort(code), text: boundText(text) },
});

const releasedEntry: Drafter<'released'> = (body) => ({
  ...NOTHING,
  controls: [],
  actor: { type: 'staff', id: boundShort(body.by) },
  target: { ...own, subject: body.releaseId },
  after: snapshotOf(
    ownFacts({
      release_id: body.releaseId,
      reason: body.reason,
      site_id: body.siteId,
      ordered_at_ms: body.orderedAtMs,
      ...(body.to !== undefined && { to_site_id: body.to.siteId, to_site_name: body.to.siteName }),
    }),
  ),
  outcome: {
    code: 'released',
    text: boundText(
      body.to === undefined
        ? `Released from ${body.siteName} by ${body.by}: this log ends here`
        : `Moved from ${body.siteName} to ${body.to.siteName} by ${body.by}: this log ends here`,
    ),
  },
});

const keyTurn =
  (subject: string, text: string): Drafter<'dik_rotated' | 'evk_rotated'> =>
  (body) => ({
    ...NOTHING,
    controls: [],
    actor: { type: 'system', id: 'box' },
    target: { ...own, subject },
    after: snapshotOf(keyTurnFacts(body)),
    outcome: { code: 'rotated', text },
  });

const LEFT_OUT = ' (The facts are too large for an entry; their digests stand for them.)';

/** The same entry with the digests of its facts alone. */
export function withoutFacts(draft: EntryDraft): EntryDraft {
  const { action, before, after, outcome } = draft;
  return {
    ...draft,
    action: action && { ...action, params: {} },
    before: before && { ...before, facts: {} },
    after: after && { ...after, facts: {} },
    outcome: { ...outcome, text: boundText(outcome.text, MAX_TEXT - LEFT_OUT.length) + LEFT_OUT },
  };
}

/** For a change that would not fit the schema: that it was there is said, and why the rest is missing. */
export function unfitDraft(change: ChangeRow, moment: EntryMoment, why: string): EntryDraft {
  const body = { what: change.kind, count: 1, code: 'EVIDENCE_SCHEMA', text: `Change ${change.id}: ${why}` } as const;
  return { ...lossEntry(body), ...moment, wallTimeMs: change.atMs, kind: 'loss' };
}

type EvidenceKinds = Exclude<ChangeKind, (typeof NOT_EVIDENCE)[number]>;

/** The changes that are evidence, and how each reads there. */
const DRAFTERS: { [K in EvidenceKinds]: { kind: EntryKind; draft: Drafter<K> } } = {
  claimed: { kind: 'claim', draft: claimed },
  config_applied: { kind: 'config_applied', draft: configApplied },
  agent_enrolled: {
    kind: 'agent_enrolled',
    draft: (row) => agentEntry(row, { type: 'agent', id: row.id }, { code: 'enrolled', text: 'Enrolled with a token' }),
  },
  agent_removed: {
    kind: 'agent_removed',
    draft: (row) =>
      agentEntry(
        row,
        { type: 'staff', id: 'site' },
        { code: 'removed', text: 'Removed; its certificates are revoked' },
      ),
  },
  incident_opened: {
    kind: 'incident_opened',
    draft: (body) => incidentEntry(body, 'open'),
  },
  incident_needs_person: {
    kind: 'incident_needs_person',
    draft: (body) => incidentEntry(body, 'needs_person'),
  },
  incident_resolved: {
    kind: 'incident_resolved',
    draft: (body) => incidentEntry(body, 'resolved'),
  },
  action_started: { kind: 'action_started', draft: actionEntry },
  action_finished: { kind: 'action_finished', draft: actionEntry },
  action_verified: { kind: 'action_verified', draft: actionEntry },
  order_received: { kind: 'order_received', draft: (body) => orderEntry(body, 'received') },
  loss: { kind: 'loss', draft: lossEntry },
  released: { kind: 'released', draft: releasedEntry },
  dik_rotated: { kind: 'dik_rotated', draft: keyTurn('dik', 'The device key was replaced; the relay has the new one') },
  evk_rotated: { kind: 'evk_rotated', draft: keyTurn('evk', 'Every entry after this one is signed by the new key') },
  order_finished: { kind: 'order_finished', draft: (body) => orderEntry(body, 'finished') },
};

export const isEvidence = (kind: ChangeRow['kind']): kind is EvidenceKinds => Object.hasOwn(DRAFTERS, kind);

/** What a change says in evidence; undefined for kinds that are not evidence. */
export function draftOf(change: ChangeRow, moment: EntryMoment): EntryDraft | undefined {
  if (!isEvidence(change.kind)) return undefined;
  const { kind, draft } = DRAFTERS[change.kind] as { kind: EntryKind; draft: (body: unknown) => Draft };
  return { ...draft(change.body), ...moment, wallTimeMs: change.atMs, kind };
}

/** The incident and the action run an entry is the newest one about. */
export function subjectsOf(change: ChangeRow): { incidentId?: string; runId?: string } {
  if (change.kind.startsWith('incident_')) return { incidentId: change.refId };
  return change.kind.startsWith('action_') ? { runId: change.refId } : {};
}
