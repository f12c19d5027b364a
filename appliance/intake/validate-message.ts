import {
  AGENT_LIMITS,
  type CheckResult,
  decodeFacts,
  type FactValue,
  factsBytes,
  type Heartbeat,
  type HostInfo,
  type OrderReceipt,
  type Report,
  type RmmFinding,
  severityFromWire,
  statusFromWire,
} from '@sitewarden/agent-proto/agent';
import { CHECKS } from '@sitewarden/agent-proto/checks';
import { applianceErrors } from '../errors.ts';
import { cleanText } from '../lib/clean-text.ts';

const MAX_TIME_MS = 253_402_300_799_999;
const MAX_SHORT_CHARS = 256;
const { maxTextChars, maxControls, maxFactListItems, maxFactsPerResult, maxFactTextChars } = AGENT_LIMITS;
const { maxFactNameChars, maxFactsBytes } = AGENT_LIMITS;

/** The closed set of facts of each check, for one lookup a fact. */
const FACT_NAMES = new Map(Object.entries(CHECKS).map(([check, { facts }]) => [check, new Set<string>(facts)]));
const CHECK_NAME = /^[a-z][a-z0-9_]{0,63}$/;
const TELEMETRY_NAME = /^[a-z][a-z0-9_]{0,63}$/;
const OS_FAMILIES = new Set(['linux', 'windows', 'macos']);

function refuse(field: string, detail: string): never {
  throw applianceErrors.make('MESSAGE_INVALID', { field, detail: `${field} ${detail}` });
}

function shortText(text: string, field: string): void {
  if (text.length > MAX_SHORT_CHARS) refuse(field, `is longer than ${MAX_SHORT_CHARS} characters`);
}

function time(ms: number, field: string): void {
  if (ms < 0 || ms > MAX_TIME_MS) refuse(field, 'is not a time in Unix milliseconds');
}

export const UNKNOWN_KINDS = ['check', 'status', 'severity', 'fact'] as const;
/** How many parts of a report this version does not know, by kind: results by their first unknown part, and single facts. */
export type UnknownParts = Record<(typeof UNKNOWN_KINDS)[number], number>;

/**
 * A newer agent may say more than this box knows: such results and facts are counted here and left out by assess, and the
 * rest of the report counts. Undefined when all is known, so that the usual report costs no object.
 * Throws MESSAGE_INVALID naming the first field outside the limits.
 */
export function validateReport(report: Report): UnknownParts | undefined {
  if (report.seq < 1) refuse('seq', 'is not a positive number');
  const { results, rmmFindings } = report;
  if (results.length === 0) refuse('results', 'is empty');
  if (results.length > AGENT_LIMITS.maxResultsPerReport) refuse('results', 'has too many items');
  if (rmmFindings.length > AGENT_LIMITS.maxRmmFindingsPerReport) refuse('rmm_findings', 'has too many items');
  shortText(report.orderId, 'order_id');
  let unknown: UnknownParts | undefined;
  for (const result of results) unknown = validateResult(result, unknown);
  for (const finding of rmmFindings) validateFinding(finding);
  return unknown;
}

function countUnknown(so: UnknownParts | undefined, kind: keyof UnknownParts): UnknownParts {
  const parts = so ?? { check: 0, status: 0, severity: 0, fact: 0 };
  parts[kind] += 1;
  return parts;
}

function validateResult(result: CheckResult, before: UnknownParts | undefined): UnknownParts | undefined {
  const { check } = result;
  let unknown = before;
  // Zero is what an agent that says nothing sends, in every version.
  if (result.status === 0) refuse('results.status', 'is not given');
  if (result.severity === 0) refuse('results.severity', 'is not given');
  const names = FACT_NAMES.get(check);
  if (names === undefined) {
    if (!CHECK_NAME.test(check)) refuse('results.check', 'is not the name of a check');
    unknown = countUnknown(unknown, 'check');
  } else if (statusFromWire(result.status) === undefined) unknown = countUnknown(unknown, 'status');
  else if (severityFromWire(result.severity) === undefined) unknown = countUnknown(unknown, 'severity');
  shortText(result.subject, 'results.subject');
  if (result.expected.length > maxTextChars) refuse('results.expected', 'is too long');
  if (result.actual.length > maxTextChars) refuse('results.actual', 'is too long');
  if (result.reason.length > maxTextChars) refuse('results.reason', 'is too long');
  if (result.controls.length > maxControls) refuse('results.controls', 'has too many items');
  for (const control of result.controls) shortText(control, 'results.controls');
  if (result.durationMs < 0) refuse('results.duration_ms', 'is negative');
  time(result.collectedAtMs, 'results.collected_at_ms');
  let count = 0;
  let chars = 0;
  for (const name in result.facts) {
    if (++count > maxFactsPerResult) refuse('results.facts', 'has too many items');
    const value = result.facts[name]!;
    // Facts of an unknown check went with it.
    if (names !== undefined && (!names.has(name) || value.kind === undefined)) unknown = countUnknown(unknown, 'fact');
    if (names?.has(name) !== true && !TELEMETRY_NAME.test(name)) {
      refuse('results.facts', 'holds a name that is not lower_snake_case');
    }
    if (value.kind !== undefined) chars += validateFact(value, 'results.facts');
  }
  validateSize(result.facts, chars, 'results.facts');
  return unknown;
}

/** Where even control characters, six bytes of JSON each, keep within the bound, nothing needs measuring. */
function validateSize(facts: Record<string, FactValue>, chars: number, field: string): void {
  if (chars * 6 + maxFactsPerResult * (maxFactNameChars + 4) <= maxFactsBytes) return;
  if (factsBytes(decodeFacts(facts)) > maxFactsBytes) {
    refuse(field, `are larger than ${maxFactsBytes} bytes together`);
  }
}

/** Answers about how many characters of JSON it is, escapes not counted. */
function validateFact({ kind }: FactValue, field: string): number {
  if (kind === undefined) return refuse(field, 'holds a value without a kind');
  if (kind.$case === 'text') {
    if (kind.value.length > maxFactTextChars) refuse(field, 'holds a text that is too long');
    return kind.value.length;
  }
  if (kind.$case !== 'list') return 4;
  const { values } = kind.value;
  if (values.length > maxFactListItems) refuse(field, 'holds a list that is too long');
  let chars = 0;
  for (const value of values) {
    if (value.length > maxFactTextChars) refuse(field, 'holds a text that is too long');
    chars += value.length + 1;
  }
  return chars;
}

function validateFinding({ product, version, foundBy }: RmmFinding): void {
  shortText(product, 'rmm_findings.product');
  shortText(version, 'rmm_findings.version');
  shortText(foundBy, 'rmm_findings.found_by');
}

function validateFlatFacts(facts: Record<string, FactValue>, field: string): void {
  const names = Object.keys(facts);
  if (names.length > maxFactsPerResult) refuse(field, 'has too many items');
  let chars = 0;
  for (const name of names) {
    if (!TELEMETRY_NAME.test(name)) refuse(field, 'holds a name that is not lower_snake_case');
    chars += validateFact(facts[name]!, field);
  }
  validateSize(facts, chars, field);
}

/** What a workstation calls itself, as people may be shown it. Throws MESSAGE_INVALID. */
export function validateHost(host: HostInfo | undefined): HostInfo {
  if (host === undefined) return refuse('host', 'is missing');
  if (cleanText(host.hostname).trim() === '') refuse('host.hostname', 'is empty');
  shortText(host.hostname, 'host.hostname');
  if (!OS_FAMILIES.has(host.osFamily)) refuse('host.os_family', 'is not linux, windows or macos');
  shortText(host.osVersion, 'host.os_version');
  shortText(host.agentVersion, 'host.agent_version');
  const { hostname, osVersion, agentVersion } = host;
  return {
    ...host,
    hostname: cleanText(hostname),
    osVersion: cleanText(osVersion),
    agentVersion: cleanText(agentVersion),
  };
}

/** Throws MESSAGE_INVALID. */
export function validateHeartbeat(beat: Heartbeat): void {
  time(beat.sentAtMs, 'heartbeat.sent_at_ms');
  if (beat.queueDepth < 0) refuse('heartbeat.queue_depth', 'is negative');
  if (beat.uptimeS < 0) refuse('heartbeat.uptime_s', 'is negative');
  validateFlatFacts(beat.telemetry, 'heartbeat.telemetry');
}

/** Throws MESSAGE_INVALID. */
export function validateReceipt(receipt: OrderReceipt): void {
  shortText(receipt.orderId, 'order_receipt.order_id');
  shortText(receipt.code, 'order_receipt.code');
  if (receipt.detail.length > maxTextChars) refuse('order_receipt.detail', 'is too long');
  time(receipt.atMs, 'order_receipt.at_ms');
  validateFlatFacts(receipt.before, 'order_receipt.before');
  validateFlatFacts(receipt.after, 'order_receipt.after');
}
