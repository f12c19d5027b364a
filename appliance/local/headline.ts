import type { ClaimSnapshot } from './services.ts';
import type { LocalStatus } from './status.ts';
import { plural, span } from './words.ts';

export type Tone = 'ok' | 'info' | 'warn' | 'bad';

export interface Remark {
  readonly tone: Tone;
  readonly title: string;
  /** What it means and what to do next. */
  readonly text: string;
}

/** The most important thing first, and what else is worth saying. */
export interface Headline extends Remark {
  readonly more: readonly Remark[];
}

export type HeadlineInput = Omit<LocalStatus, 'headline'>;

/** The relay's own limit for calling a box stale. */
const LATE_MS = 5 * 60 * 1000;
const LOW_DISK_SHARE = 0.05;
const TONES: readonly Tone[] = ['bad', 'warn', 'info', 'ok'];

/** Pure. */
export function headlineOf(status: HeadlineInput): Headline {
  const isClaimed = status.claim.phase === 'done';
  const urgent = diskRemarks(status);
  const remarks = [...stageRemarks(status), ...(isClaimed ? claimedRemarks(status) : incidentRemarks(status))].sort(
    (a, b) => TONES.indexOf(a.tone) - TONES.indexOf(b.tone),
  );
  // Who stands before a box without a site is there to claim it.
  const claim = isClaimed ? [] : [claimRemark(status.claim)];
  const [first, ...more] = [...urgent, ...claim, ...remarks];
  return first === undefined ? { ...fine(status), more: [] } : { ...first, more };
}

function fine({ claim, agents }: HeadlineInput): Remark {
  const site = claim.site?.siteName ?? 'this site';
  const text = `${plural(agents.connected, 'workstation')} connected, no open incident, and the relay is in contact.`;
  return { tone: 'ok', title: `All is well at ${site}`, text };
}

function diskRemarks({ host }: HeadlineInput): Remark[] {
  const { freeBytes, totalBytes } = host.disk;
  if (totalBytes === 0 || freeBytes >= totalBytes * LOW_DISK_SHARE) return [];
  return [
    {
      tone: 'bad',
      title: 'The disk of this box is almost full',
      text: 'Free space on it soon: before it is full, the box stops taking reports, so that it loses none.',
    },
  ];
}

const STAGE_WORK: Record<HeadlineInput['stages'][number]['name'], string> = {
  assess: 'Reports of workstations are not looked at',
  healing: 'Problems are not repaired',
  evidence: 'Evidence is not written',
  outbox: 'What happens here is not passed on',
};

function stageRemarks({ stages, evidence }: HeadlineInput): Remark[] {
  const remarks = stages
    .filter(({ isStuck }) => isStuck)
    .map(({ name, waiting, failingForMs, quietForMs }): Remark => {
      const forMs = Math.max(failingForMs, quietForMs);
      const kept = `Nothing is lost: ${plural(waiting, 'row')} ${waiting === 1 ? 'waits' : 'wait'} in its database.`;
      const text = `${kept} Restart the box. If this stays, tell the MSP: the log of the box names the fault.`;
      return { tone: 'bad', title: `${STAGE_WORK[name]} for ${span(forMs)}`, text };
    });
  if (evidence.isHalted) {
    const kept = evidence.waiting === 0 ? '' : ` ${plural(evidence.waiting, 'change')} wait for it.`;
    const text = `Signed entries are gone from this box, so it adds none. Run \`sitewarden-appliance reset\` on it and claim it again: that begins a new log.${kept}`;
    remarks.push({ tone: 'bad', title: 'The evidence log of this box stands still', text });
  }
  return remarks;
}

function claimedRemarks(status: HeadlineInput): Remark[] {
  return [
    ...uplinkRemarks(status),
    ...clockRemarks(status),
    ...laneRemarks(status),
    ...incidentRemarks(status),
    ...agentRemarks(status),
  ];
}

function uplinkRemarks({ uplink, lanes, nowMs }: HeadlineInput): Remark[] {
  const next = uplink.lastError?.message ?? 'Look at the site page of the relay.';
  if (uplink.state === 'stopped') return [{ tone: 'bad', title: 'The relay refuses this box', text: next }];
  if (uplink.chainLostAtMs !== null) {
    const lost = 'Its last check-in token was damaged or is gone, so the relay cannot tell this box from a copy of it.';
    const next = 'Tell the MSP: an admin releases the box on the site page. It goes on serving its site meanwhile.';
    return [{ tone: 'bad', title: 'This box lost its check-in chain', text: `${lost} ${next}` }];
  }
  if (uplink.isQuarantined) {
    const text =
      'Take the copy off the network; an admin releases the box on the site page. It goes on serving its site meanwhile.';
    return [{ tone: 'bad', title: 'Two boxes use this identity', text }];
  }
  const age = uplink.lastCheckinAtMs === null ? undefined : nowMs - uplink.lastCheckinAtMs;
  if (uplink.state === 'ok' && age !== undefined && age < LATE_MS) return [];
  if (uplink.state === 'retrying' && age !== undefined && age < LATE_MS) {
    return [{ tone: 'info', title: 'The last check-in did not get through', text: next }];
  }
  if (age === undefined) {
    const text = uplink.lastError === null ? 'The first check-in is due within a minute.' : next;
    return [{ tone: uplink.lastError === null ? 'info' : 'warn', title: 'The relay has not answered yet', text }];
  }
  const waiting = Object.values(lanes).reduce((sum, lane) => sum + lane.depth, 0);
  const kept = `Nothing is lost: ${plural(waiting, 'row')} ${waiting === 1 ? 'waits' : 'wait'} here.`;
  return [{ tone: 'warn', title: `No contact with the relay for ${span(age)}`, text: `${kept} ${next}` }];
}

/** Rows and evidence are dated by the relay's time, so whoever reads them later must know. */
function clockRemarks({ uplink: { relayAheadMs } }: HeadlineInput): Remark[] {
  if (relayAheadMs === null) return [];
  const by = `${span(Math.abs(relayAheadMs))} ${relayAheadMs > 0 ? 'ahead of' : 'behind'}`;
  const title = `The relay's clock is ${by} the one of this box`;
  const text = 'NTP keeps the clock of this box, so the relay is likely wrong. Tell whoever runs the relay.';
  return [{ tone: 'warn', title, text }];
}

const LANE_WORDS: Record<keyof HeadlineInput['laneFaults'], string> = {
  checkpoint: 'checkpoints',
  evidence: 'evidence',
  receipts: 'receipts of orders',
  incidents: 'incidents',
  telemetry: 'telemetry',
};

/** A lane the relay refuses stands, whatever else goes on; what waits in it is kept. */
function laneRemarks({ laneFaults }: HeadlineInput): Remark[] {
  return (Object.keys(LANE_WORDS) as (keyof typeof LANE_WORDS)[]).flatMap((lane): Remark[] => {
    const fault = laneFaults[lane];
    if (fault === undefined || !fault.isPermanent) return [];
    const tone = lane === 'evidence' || lane === 'checkpoint' ? 'bad' : 'warn';
    const text = `${fault.code}: ${fault.message} What waits is kept on this box. Tell the MSP.`;
    return [{ tone, title: `The relay does not take the ${LANE_WORDS[lane]} of this box`, text }];
  });
}

function incidentRemarks({ incidents }: HeadlineInput): Remark[] {
  const calls = incidents.open.filter(({ state }) => state === 'needs_person').length;
  const healing = incidents.open.filter(({ state }) => state === 'healing').length;
  const rest = incidents.openTotal - calls - healing;
  const remarks: Remark[] = [];
  if (calls > 0) {
    const title = calls === 1 ? 'One problem needs a person' : `${calls} problems need a person`;
    remarks.push({ tone: 'bad', title, text: 'Each says below what was tried and what to do next.' });
  }
  if (rest > 0) {
    const title = rest === 1 ? 'One problem is open' : `${rest} problems are open`;
    remarks.push({ tone: 'warn', title, text: 'Each says below why, and what to do next.' });
  }
  if (healing > 0) {
    const text = `${plural(healing, 'problem')} on the way to be solved. Nothing to do yet.`;
    remarks.push({ tone: 'info', title: 'Sitewarden is repairing', text });
  }
  return remarks;
}

function agentRemarks({ agents }: HeadlineInput): Remark[] {
  if (agents.total === 0) {
    const text = 'Enrol the first agent with a token from the MSP, or from the API of this box.';
    return [{ tone: 'info', title: 'No workstation reports to this box yet', text }];
  }
  const away = agents.total - agents.connected;
  if (away === 0) return [];
  const text = 'They keep their reports and send them when they are back. Check that they are switched on.';
  return [{ tone: 'info', title: `${plural(away, 'workstation')} not connected`, text }];
}

function claimRemark(claim: ClaimSnapshot): Remark {
  const error = claim.error?.message;
  const left = claim.left ?? null;
  switch (claim.phase) {
    case 'no_relay':
      return {
        tone: error === undefined ? 'info' : 'bad',
        title: error === undefined ? 'Asking the relay for a code' : 'This box cannot be claimed yet',
        text: error ?? 'This takes a few seconds.',
      };
    case 'showing':
      if (left !== null && (left.movesTo ?? null) !== null)
        return {
          tone: 'info',
          title: `This box moves from ${left.siteName} to ${left.movesTo}`,
          text: `${left.by} said why: ${left.reason}. It asks the relay for its new place, which takes a few seconds. If nothing happens, tell the MSP, or claim it with the code below.`,
        };
      return {
        tone: 'info',
        title: left === null ? 'This box belongs to no site yet' : `This box was released from ${left.siteName}`,
        text: `${left === null ? '' : `${left.by} said why: ${left.reason}. It belongs to no site now. `}Scan the code below with a phone and sign in, or type the code from your work order.`,
      };
    case 'claimed':
      return {
        tone: 'info',
        title: 'Claimed, waiting for approval',
        text: 'Compare the number below with the phone. Then staff of the MSP must approve this box.',
      };
    case 'approved':
      return {
        tone: 'info',
        title: 'Approved',
        text: 'The box is fetching its configuration. This takes a few seconds.',
      };
    case 'rejected':
      return { tone: 'bad', title: 'Staff rejected this claim', text: error ?? 'Ask the MSP why, then try again.' };
    case 'done':
      return { tone: 'ok', title: 'Claimed', text: 'This box belongs to a site.' };
  }
}
