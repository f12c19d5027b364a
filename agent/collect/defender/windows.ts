import type { Facts } from '@sitewarden/agent-proto/agent';
import { rowFlag, rowInteger, rowText, type SectionAnswer, sectionProblem } from '../../windows/index.ts';
import type { CollectContext, Observation } from '../types.ts';
import { decodeProductState } from './product-state.ts';
import { engineOfBrand, WINDOWS_ENGINES } from './windows-engines.ts';

export interface AntimalwareSight {
  readonly defender: SectionAnswer;
  readonly antivirus: SectionAnswer;
  readonly services: SectionAnswer;
}

export async function collectDefenderWindows({ windows }: CollectContext): Promise<Observation[]> {
  const [defender, antivirus, services] = await Promise.all([
    windows.ask('defender'),
    windows.ask('antivirus'),
    windows.ask('services'),
  ]);
  return [{ subject: '', facts: antimalwareFacts({ defender, antivirus, services }) }];
}

const MICROSOFT = 'Microsoft Defender';

/** Facts of one engine, the better the smaller its rank. */
interface Candidate {
  readonly rank: number;
  readonly facts: Facts;
}

/**
 * The engine that protects: Defender by its own word, another by the Security Center's, on a server by its service. When
 * none does, the one that is nearest to it.
 */
export function antimalwareFacts({ defender, antivirus, services }: AntimalwareSight): Facts {
  const candidates = [...ofDefender(defender), ...ofSecurityCenter(antivirus), ...ofServices(antivirus, services)];
  candidates.sort((a, b) => a.rank - b.rank);
  const names = [...new Set(candidates.map(({ facts }) => facts.engine as string))];
  const [best] = candidates;
  const problem = problemOf({ defender, antivirus, services });
  if (best === undefined) {
    return problem === '' ? { engines_found: [], engine_running: false } : { engines_found: [], probe_error: problem };
  }
  const facts: Facts = { ...best.facts, engines_found: names };
  // One that does not protect is no fault as long as others could be there unseen.
  return best.rank > PROTECTS && problem !== '' ? { ...facts, probe_error: problem } : facts;
}

const PROTECTS = 1;

function ofDefender(answer: SectionAnswer): Candidate[] {
  const [row] = answer.ok ? answer.rows : [];
  if (row === undefined) return [];
  const isService = rowFlag(row, 'AMServiceEnabled');
  const isEngine = rowFlag(row, 'AntivirusEnabled');
  const isRealtime = rowFlag(row, 'RealTimeProtectionEnabled');
  const age = rowInteger(row, 'AntivirusSignatureAge');
  const facts: Facts = { engine: MICROSOFT, reported_by: 'defender' };
  if (isService !== undefined && isEngine !== undefined) facts.engine_running = isService && isEngine;
  if (isRealtime !== undefined) facts.realtime = isRealtime;
  const version = rowText(row, 'AMProductVersion');
  if (version !== undefined) facts.engine_version = version;
  // 65535 and 4294967295 stand for never.
  if (age !== undefined && age >= 0) facts.signature_age_days = Math.min(age, 65_535);
  const isTamperProof = rowFlag(row, 'IsTamperProtected');
  if (isTamperProof !== undefined) facts.tamper_protected = isTamperProof;
  const isOn = facts.engine_running === true;
  return [{ rank: isOn && isRealtime === true ? 0 : isOn ? 3 : 5, facts }];
}

/** Defender registers too; what it says of itself is more. */
function ofSecurityCenter(answer: SectionAnswer): Candidate[] {
  const candidates: Candidate[] = [];
  for (const row of answer.ok ? answer.rows : []) {
    const value = rowInteger(row, 'productState');
    const name = rowText(row, 'displayName');
    if (value === undefined || name === undefined) continue;
    const { state, isCurrent, isMicrosofts } = decodeProductState(value);
    if (isMicrosofts || /\bdefender\b/i.test(name)) continue;
    const facts: Facts = { engine: engineOfBrand(name), reported_by: 'security_center' };
    if (state !== 'not_known') Object.assign(facts, { engine_running: state !== 'off', realtime: state === 'on' });
    if (isCurrent !== undefined) facts.signatures_current = isCurrent;
    candidates.push({ rank: state === 'on' ? (isCurrent ? 0.5 : PROTECTS) : state === 'off' ? 6 : 4, facts });
  }
  return candidates;
}

function ofServices(antivirus: SectionAnswer, services: SectionAnswer): Candidate[] {
  if (antivirus.ok || antivirus.problem !== 'not_there' || !services.ok) return [];
  const candidates: Candidate[] = [];
  for (const row of services.rows) {
    const name = rowText(row, 'Name')?.toLowerCase() ?? '';
    const engine = WINDOWS_ENGINES.find((one) => one.services.includes(name));
    if (engine === undefined) continue;
    const isRunning = rowText(row, 'State') === 'Running';
    const facts: Facts = { engine: engine.name, reported_by: 'service', engine_running: isRunning };
    candidates.push({ rank: isRunning ? PROTECTS : 6, facts });
  }
  return candidates;
}

/** A Windows without Defender or without a Security Center is an answer; not being let in is none. */
function problemOf({ defender, antivirus, services }: AntimalwareSight): string {
  const isGone = (answer: SectionAnswer) => !answer.ok && ['not_there', 'service_off'].includes(answer.problem);
  if (!defender.ok && !isGone(defender)) return sectionProblem('The state of Defender', defender);
  if (!antivirus.ok && antivirus.problem !== 'not_there') return sectionProblem('The Security Center', antivirus);
  if (!antivirus.ok && !services.ok) return sectionProblem('The list of services', services);
  return '';
}
