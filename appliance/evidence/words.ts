import type { Facts } from '@sitewarden/agent-proto/agent';
import { RECEIPT_CODES } from '@sitewarden/agent-proto/evidence';
import type { ActionRunState, AgentRow, IncidentRow, ReceiptPayload } from '@sitewarden/agent-proto/http';
import { RUN_CODES } from '../lib/action-codes.ts';
import { incidentTitle, MORE_SUBJECTS } from '../lib/incident-words.ts';
import { plainName } from './facts.ts';

export const subjectName = (subject: string): string => (subject === MORE_SUBJECTS ? subject : plainName(subject));

const INCIDENT_TEXTS = {
  open: (title: string, severity: string) => `${title}. Severity ${severity}.`,
  needs_person: (title: string) => `A person is called: ${title}.`,
  resolved: (title: string) => `It is over: ${title}.`,
} as const;

/** From check, subject and severity alone: `title` and `reason` of the row are for people and can quote the agent. */
export function incidentText(row: IncidentRow, code: keyof typeof INCIDENT_TEXTS): string {
  return INCIDENT_TEXTS[code](incidentTitle(row.check, subjectName(row.subject)), row.severity);
}

/** How an action ended, in the box's words; what the agent said about it stands beside the incident. */
export const OUTCOMES: Readonly<Record<ActionRunState, string>> = {
  started: 'The repair began.',
  done: 'The repair ran; a fresh check says whether it helped.',
  failed: 'The repair failed.',
  refused: 'The repair was refused.',
  indeterminate: 'It is not known whether the repair took effect.',
  verified: 'A fresh check passed after the repair.',
  not_verified: RUN_CODES.NOT_VERIFIED,
};

/** How an order ended by the answer of its workstation; what it said stands beside the order. */
export const ORDER_OUTCOMES: Readonly<Record<ReceiptPayload['state'], string>> = {
  started: 'The order was taken.',
  done: 'The workstation has done it.',
  failed: 'The workstation could not do it.',
  refused: 'The workstation refused it.',
  expired: 'The workstation did not begin in time.',
  indeterminate: 'It is not known whether the workstation did it.',
};

const CODES = new Set<string>([...RECEIPT_CODES, ...Object.keys(RUN_CODES)]);

/** A code that no program here has is an agent's own text. */
export const codeOf = ({ code, state }: { code: string | null; state: string }): string =>
  state !== 'verified' && state !== 'not_verified' && code !== null && CODES.has(code) ? code : state;

const OS_FAMILIES: readonly string[] = ['linux', 'windows', 'macos'];
const NUMBER = /\d{1,6}(?:\.\d{1,6}){0,3}/;
const RELEASE = /^\d{1,4}\.\d{1,4}(?:\.\d{1,4})?/;

/** Of what an agent says about itself: a known family, and the numbers of its versions. */
export function osFacts({ osFamily, osVersion, agentVersion }: AgentRow): Facts {
  const facts: Facts = {};
  if (OS_FAMILIES.includes(osFamily)) facts.os_family = osFamily;
  const os = NUMBER.exec(osVersion)?.[0];
  const agent = RELEASE.exec(agentVersion)?.[0];
  if (os !== undefined) facts.os_version = os;
  if (agent !== undefined) facts.agent_version = agent;
  return facts;
}
