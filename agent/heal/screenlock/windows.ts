import { parseRegQuery } from '../../windows/index.ts';
import type { ActionContext } from '../actions/types.ts';
import type { Argv } from '../host.ts';
import { refused, type Step, toolStep } from '../plan.ts';
import type { Way } from '../repair.ts';

const KEY = 'HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Policies\\System';
const VALUE = 'InactivityTimeoutSecs';
/** The longest Windows takes. */
const MAX_SECONDS = 599_940;

/** The machine's inactivity limit: one number, for everybody, whatever their screen saver says. */
export const screenlockWindows: Way<{ idle_seconds: number }> = {
  async plan(_before, { idle_seconds: idleSeconds }, context) {
    const former = await readLimit(context);
    if (former === 'odd') {
      return refused('STATE_UNKNOWN', `${VALUE} is there and is no number. Look at it in the registry.`);
    }
    if (former === idleSeconds) return { nothing: `the limit of ${idleSeconds} s is set.` };
    return {
      steps: [setStep(idleSeconds, context)],
      // 0 is what Windows itself means by no limit, and -1 that the value was not there.
      keep: { former: former ?? -1, idle_seconds: idleSeconds },
      isDone: ({ facts }) =>
        facts.lock_enabled === true && typeof facts.idle_seconds === 'number' && facts.idle_seconds <= idleSeconds,
      note: () => 'Windows takes it up at its next start.',
    };
  },
  async undo(kept, _before, context) {
    const former = kept.former;
    if (typeof former !== 'number' || !Number.isInteger(former) || former < -1 || former > MAX_SECONDS) {
      return { refusal: { code: 'UNDO_UNKNOWN' } };
    }
    const now = await readLimit(context);
    if (now === (former === -1 ? undefined : former)) return { nothing: 'the former limit is there.' };
    if (now !== kept.idle_seconds) {
      return refused(
        'RULED_ELSEWHERE',
        'The limit was changed since that order. Look at the policies of this Windows.',
      );
    }
    return { steps: [former === -1 ? deleteStep(context) : setStep(former, context)], isDone: () => true };
  },
};

async function readLimit({ host, signal }: ActionContext): Promise<number | undefined | 'odd'> {
  const argv = [...host.tools.reg, 'query', KEY, '/v', VALUE];
  const result = await host.run(argv as unknown as Argv, { signal, encoding: 'detect', input: '' });
  // reg.exe ends with 1 for what is not there.
  if (!result.ok) return result.exitCode === 1 ? undefined : 'odd';
  const value = parseRegQuery(result.stdout)[0]?.values[VALUE];
  return typeof value === 'number' && value <= MAX_SECONDS ? value : 'odd';
}

function setStep(seconds: number, context: ActionContext): Step {
  return regStep(['add', KEY, '/v', VALUE, '/t', 'REG_DWORD', '/d', String(seconds), '/f'], context);
}

const deleteStep = (context: ActionContext): Step => regStep(['delete', KEY, '/v', VALUE, '/f'], context);

function regStep(args: readonly string[], { host, signal }: ActionContext): Step {
  const [program, ...first] = host.tools.reg;
  return toolStep([program, ...first, ...args], {
    host,
    signal,
    packageName: 'Windows',
    timeoutMs: 15_000,
    encoding: 'detect',
    input: '',
    words: `reg ${args.join(' ')}`,
  });
}
