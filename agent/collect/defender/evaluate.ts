import type { Facts } from '@sitewarden/agent-proto/agent';
import { countFact, flagFact, listFact, textFact } from '../facts.ts';
import type { Verdict } from '../types.ts';
import { verdictsOf } from '../verdict.ts';
import { ENGINES } from './engines.ts';
import { MAC_ENGINES } from './mac-engines.ts';
import { OTHER_ENGINE, WINDOWS_ENGINES } from './windows-engines.ts';

/** Publishers update daily; a week covers a workstation that was off for a holiday and nothing more. */
const MAX_SIGNATURE_AGE_DAYS = 7;
/** Apple publishes data for XProtect every few weeks, not daily. */
const MAX_XPROTECT_AGE_DAYS = 60;

const verdicts = verdictsOf('defender', 'an anti-malware engine runs with signatures at most 7 days old');

export function evaluateDefender(facts: Facts): Verdict {
  const problem = textFact(facts, 'probe_error');
  const running = flagFact(facts, 'engine_running');
  const engine = textFact(facts, 'engine');
  const found = listFact(facts, 'engines_found');
  if (problem !== undefined) return verdicts.unknown(problem);
  if (running === undefined || found === undefined) {
    return verdicts.unknown('It is not known which anti-malware engines are here. Run the check again.');
  }
  if (engine === undefined) {
    if (running || found.length > 0) return verdicts.unknown('An engine was seen but not named. Run the check again.');
    return verdicts.fail('high', 'no engine found', 'No known anti-malware engine is installed. Install one.');
  }
  if (!running) {
    return verdicts.fail('high', `${engine} is stopped`, `${engine} is installed and does not run. Start its service.`);
  }
  switch (textFact(facts, 'reported_by')) {
    case 'defender':
      return evaluateMicrosofts(facts, engine);
    case 'security_center':
      return evaluateRegistered(facts, engine);
    case 'service':
      return evaluateBrand(engine, WINDOWS_ENGINES);
    case 'process':
      return evaluateProcess(facts, engine);
    case 'xprotect':
      return evaluateXprotect(facts, engine);
    default:
      return verdicts.unknown('It is not known who reported this engine. Run the check again.');
  }
}

/** Linux and macOS: by the engine's processes. */
function evaluateProcess(facts: Facts, engine: string): Verdict {
  const ageDays = countFact(facts, 'signature_age_days');
  const known = [...ENGINES, ...MAC_ENGINES].find(({ name }) => name === engine);
  if (known === undefined) return verdicts.unknown(`${engine} is not an engine the agent knows. Update the agent.`);
  if (ageDays !== undefined && ageDays > MAX_SIGNATURE_AGE_DAYS) {
    return outOfDate(engine, ageDays, 'Check that freshclam runs and reaches its mirror.');
  }
  if (ageDays === undefined && known.signatures !== undefined) {
    return verdicts.unknown(`The age of ${engine}'s signatures cannot be read. Run freshclam once as root.`);
  }
  const age = ageDays === undefined ? '' : `, signatures ${ageDays} day(s) old`;
  const realtime =
    flagFact(facts, 'realtime') === false
      ? 'It scans on demand only; turn on on-access scanning to catch files as they arrive.'
      : '';
  return verdicts.pass(`${engine} runs${age}`, `${engine} is active. ${realtime}`.trim());
}

/** Windows: Defender's own word. */
function evaluateMicrosofts(facts: Facts, engine: string): Verdict {
  const realtime = flagFact(facts, 'realtime');
  const ageDays = countFact(facts, 'signature_age_days');
  if (realtime === false) {
    return verdicts.fail(
      'high',
      `${engine} runs without real-time protection`,
      'Files are not scanned as they arrive. Turn on real-time protection.',
    );
  }
  if (ageDays !== undefined && ageDays > MAX_SIGNATURE_AGE_DAYS) {
    return outOfDate(engine, ageDays, 'Update them, for example with Update-MpSignature.');
  }
  if (realtime === undefined) {
    return verdicts.unknown('Whether real-time protection is on cannot be read. Run Get-MpComputerStatus by hand.');
  }
  if (ageDays === undefined) {
    return verdicts.unknown(`The age of ${engine}'s signatures cannot be read. Run Get-MpComputerStatus by hand.`);
  }
  return verdicts.pass(`${engine} runs, signatures ${ageDays} day(s) old`, `${engine} is active in real time.`);
}

/** Windows: what another product told the Security Center of itself. */
function evaluateRegistered(facts: Facts, engine: string): Verdict {
  const realtime = flagFact(facts, 'realtime');
  const isCurrent = flagFact(facts, 'signatures_current');
  const isKnown = engine === OTHER_ENGINE || WINDOWS_ENGINES.some(({ name }) => name === engine);
  if (realtime === false) {
    return verdicts.fail(
      'high',
      `${engine} is snoozed or expired`,
      `${engine} does not protect now. Open it and renew or resume it.`,
    );
  }
  if (isCurrent === false) {
    return verdicts.fail(
      'high',
      `${engine} runs with old signatures`,
      'The signatures are out of date. Let the product update itself and check that it reaches its server.',
    );
  }
  if (!isKnown || realtime === undefined || isCurrent === undefined) {
    return verdicts.unknown(`The Security Center does not tell the state of ${engine}. Open the product and look.`);
  }
  return verdicts.pass(`${engine} runs, signatures up to date`, `${engine} is on, as Windows Security reports.`);
}

/** These keep their signatures themselves and say so in their own console. */
function evaluateBrand(engine: string, known: readonly { readonly name: string }[]): Verdict {
  return known.some(({ name }) => name === engine)
    ? verdicts.pass(`${engine} runs`, `${engine} is active.`)
    : verdicts.unknown(`${engine} is not an engine the agent knows. Update the agent.`);
}

function evaluateXprotect(facts: Facts, engine: string): Verdict {
  const ageDays = countFact(facts, 'signature_age_days');
  const isAutomatic = flagFact(facts, 'signatures_current');
  const version = textFact(facts, 'engine_version');
  if (isAutomatic === false) {
    return verdicts.fail(
      'high',
      'XProtect is not updated',
      'macOS may not install its security data. Turn on "Install Security Responses and system files".',
    );
  }
  if (ageDays !== undefined && ageDays > MAX_XPROTECT_AGE_DAYS) {
    return outOfDate(engine, ageDays, 'Look for updates, for example with softwareupdate --background.');
  }
  if (ageDays === undefined || isAutomatic === undefined || version === undefined || engine !== 'Apple XProtect') {
    return verdicts.unknown(
      'When XProtect was last updated cannot be read. Look at the installations in System Report.',
    );
  }
  return verdicts.pass(
    `XProtect ${version}, updated ${ageDays} day(s) ago`,
    'macOS scans with data it keeps up to date.',
  );
}

function outOfDate(engine: string, ageDays: number, step: string): Verdict {
  return verdicts.fail(
    'high',
    `${engine} runs with signatures ${ageDays} days old`,
    `The signatures are out of date. ${step}`,
  );
}
