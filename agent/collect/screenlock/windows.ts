import type { Facts } from '@sitewarden/agent-proto/agent';
import { type Row, rowFlag, type SectionAnswer, sectionProblem } from '../../windows/index.ts';
import type { CollectContext, Observation } from '../types.ts';

export async function collectScreenlockWindows({ windows }: CollectContext): Promise<Observation[]> {
  return [{ subject: '', facts: windowsLockFacts(await windows.ask('screenlock')) }];
}

/** What locks one person's session; 0 seconds: nothing does. */
interface Lock {
  readonly seconds: number;
  readonly source: 'machine' | 'policy' | 'own' | 'none';
}

const NEVER: Lock = { seconds: 0, source: 'none' };

/**
 * Two things lock: the machine's inactivity limit (policy or MDM), for everybody; and each person's screen saver, when it
 * is on, asks for the password, has a time, and has a program. Facts say the weakest of those logged on.
 */
export function windowsLockFacts(answer: SectionAnswer): Facts {
  if (!answer.ok) return { probe_error: sectionProblem('The registry', answer) };
  const machineRow = answer.rows.find((row) => row.Kind === 'machine');
  const persons = answer.rows.filter((row) => row.Kind === 'person');
  if (machineRow === undefined || persons.some((row) => rowFlag(row, 'IsLoggedOn') === undefined)) {
    return {
      desktop: 'windows',
      probe_error: 'The registry told only a part of the lock settings. Run the agent as SYSTEM.',
    };
  }
  const machine = machineLock(machineRow);
  const loggedOn = persons.filter((row) => rowFlag(row, 'IsLoggedOn') === true);
  const locks = loggedOn.map((row) => earlier(machine, saverLock(row)));
  // With nobody there, what holds for everybody is still worth telling.
  const judged = locks.length === 0 ? [machine] : locks;
  const never = judged.some(({ seconds }) => seconds === 0);
  return {
    desktop: 'windows',
    source: [...new Set(judged.map(({ source }) => source))].join(','),
    graphical_sessions: loggedOn.length,
    lock_enabled: !never,
    idle_seconds: never ? 0 : Math.max(...judged.map(({ seconds }) => seconds)),
  };
}

function machineLock(row: Row): Lock {
  const seconds = registryNumber(row.InactivityTimeoutSecs) ?? 0;
  const minutes = registryNumber(row.MaxInactivityTimeDeviceLock) ?? 0;
  const limits = [seconds, minutes * 60].filter((limit) => limit > 0);
  return limits.length === 0 ? NEVER : { seconds: Math.min(...limits), source: 'machine' };
}

/** Each value of the policy stands over the person's own. */
function saverLock(row: Row): Lock {
  const policy = isRow(row.Policy) ? row.Policy : {};
  const own = isRow(row.Own) ? row.Own : {};
  const valueFor = (name: string): unknown => policy[name] ?? own[name];
  const isOn = registryNumber(valueFor('ScreenSaveActive')) === 1;
  const isSecure = registryNumber(valueFor('ScreenSaverIsSecure')) === 1;
  const seconds = registryNumber(valueFor('ScreenSaveTimeOut')) ?? 0;
  const program = valueFor('SCRNSAVE.EXE');
  const hasProgram = typeof program === 'string' && program.trim() !== '';
  if (!isOn || !isSecure || seconds <= 0 || !hasProgram) return NEVER;
  return { seconds, source: policy.ScreenSaveTimeOut == null ? 'own' : 'policy' };
}

function earlier(a: Lock, b: Lock): Lock {
  if (a.seconds === 0) return b;
  return b.seconds === 0 || a.seconds <= b.seconds ? a : b;
}

/** The desktop keeps its numbers as text. */
function registryNumber(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d{1,9}$/.test(value.trim()) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

const isRow = (value: unknown): value is Row => typeof value === 'object' && value !== null && !Array.isArray(value);
