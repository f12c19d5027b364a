import type { Facts } from '@sitewarden/agent-proto/agent';
import { countFact, flagFact, textFact } from '../facts.ts';
import type { Verdict } from '../types.ts';
import { verdictsOf } from '../verdict.ts';

/** 15 minutes: the longest idle time common hardening guides (CIS, NIST 800-171) let a session stay open. */
const MAX_IDLE_SECONDS = 900;

const verdicts = verdictsOf('screenlock', `the screen locks after at most ${MAX_IDLE_SECONDS} s without input`);

/** One session known to stay open fails even when others could not be read. */
export function evaluateScreenlock(facts: Facts): Verdict {
  const sessions = countFact(facts, 'graphical_sessions');
  const desktop = textFact(facts, 'desktop');
  const locks = flagFact(facts, 'lock_enabled');
  const idleSeconds = countFact(facts, 'idle_seconds');
  const problem = textFact(facts, 'probe_error');
  if (sessions !== undefined && sessions > 0) {
    if (locks === false || idleSeconds === 0) {
      return verdicts.fail('medium', 'the screen never locks', 'Turn on the screen lock in the desktop settings.');
    }
    if (idleSeconds !== undefined && idleSeconds > MAX_IDLE_SECONDS) {
      return verdicts.fail(
        'medium',
        `locks after ${idleSeconds} s`,
        `The screen stays open for too long. Set the lock to at most ${MAX_IDLE_SECONDS} s.`,
      );
    }
  }
  if (problem !== undefined) return verdicts.unknown(problem);
  if (sessions === undefined || desktop === undefined) {
    return verdicts.unknown('It is not known whether somebody uses a desktop here. Run the check again.');
  }
  if (sessions === 0) {
    return verdicts.notApplicable(
      desktop === 'none' ? 'No desktop is installed here.' : 'Nobody is logged in at the desktop now.',
    );
  }
  if (locks === undefined || idleSeconds === undefined) {
    return verdicts.unknown(`The lock settings of ${desktop} could not be read. Look at them by hand.`);
  }
  return verdicts.pass(`locks after ${idleSeconds} s`, `${sessions} graphical session(s), and each of them locks.`);
}
