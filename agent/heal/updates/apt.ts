import { parseAptSimulation } from '../../collect/index.ts';
import { agentErrors } from '../../errors.ts';
import type { ActionContext, Sight } from '../actions/types.ts';
import type { Argv } from '../host.ts';
import { type Plan, stateUnknown } from '../plan.ts';
import { installedNote, isInstalled, leftMs, type WindowParams, windowEnded } from './window.ts';

/** Debian policy, and the architecture apt puts behind the name. Nothing that could be an option. */
const PACKAGE = /^[a-z0-9][a-z0-9+.-]{0,127}(?::[a-z0-9-]{1,32})?$/;
const MAX_PACKAGES = 500;
/** dpkg must not be cut in the middle of a package; the largest take some minutes on a slow disk. */
const PACKAGE_TIMEOUT_MS = 30 * 60_000;
const SOLVE_TIMEOUT_MS = 60_000;

/** Answers that nobody is there to give: keep the configuration that is there. No package goes away. */
const UNATTENDED = [
  '-y',
  '-q',
  '--no-remove',
  '-o',
  'Dpkg::Options::=--force-confdef',
  '-o',
  'Dpkg::Options::=--force-confold',
  '-o',
  'DPkg::Lock::Timeout=60',
] as const;
const ENV = { DEBIAN_FRONTEND: 'noninteractive' };

/**
 * Downloads all, which may be cut at any time; then installs one package after the other, as long as the window lasts. A
 * package that fails does not keep the others waiting.
 */
export async function planApt(before: Sight, params: WindowParams, context: ActionContext): Promise<Plan> {
  const { host, signal } = context;
  const simulate: Argv = ['apt-get', '--simulate', '-o', 'Debug::NoLocking=true', '-q', 'dist-upgrade'];
  const listed = await host.run(simulate, { signal, timeoutMs: SOLVE_TIMEOUT_MS, maxBytes: 4 * 1024 * 1024 });
  if (!listed.ok) return stateUnknown(before);
  const { names, security } = parseAptSimulation(listed.stdout);
  const wanted = names
    .slice(0, security)
    .filter((name) => PACKAGE.test(name))
    .slice(0, MAX_PACKAGES);
  const install = (packages: readonly string[], ...more: string[]): Argv => [
    'apt-get',
    ...UNATTENDED,
    ...more,
    'install',
    '--only-upgrade',
    '--',
    ...packages,
  ];
  const settings = { env: ENV, maxBytes: 4 * 1024 * 1024 };
  return {
    steps: [
      {
        // What an earlier cut left half done keeps apt from doing anything else.
        words: 'dpkg --configure -a',
        async run() {
          const argv: Argv = ['dpkg', '--force-confdef', '--force-confold', '--configure', '-a'];
          // A package that cannot be configured is no reason to keep the others waiting.
          await host.run(argv, { ...settings, timeoutMs: PACKAGE_TIMEOUT_MS });
        },
      },
      {
        words: install(wanted, '--download-only').join(' '),
        async run() {
          const timeoutMs = leftMs(params, context.nowMs());
          if (timeoutMs === 0) throw windowEnded(0, wanted.length);
          const result = await host.run(install(wanted, '--download-only'), { ...settings, signal, timeoutMs });
          if (result.timedOut) throw windowEnded(0, wanted.length);
        },
      },
      {
        words: `install these ${wanted.length} one by one, while the window lasts`,
        async run() {
          for (const [done, name] of wanted.entries()) {
            if (leftMs(params, context.nowMs()) === 0) throw windowEnded(done, wanted.length);
            signal.throwIfAborted();
            await host.run(install([name]), { ...settings, timeoutMs: PACKAGE_TIMEOUT_MS });
          }
          // A package that is unpacked and not configured is not listed as an update any more.
          const audit = await host.run(['dpkg', '--audit'], settings);
          if (audit.ok && audit.stdout.trim() === '') return;
          throw agentErrors.make('TOOL_FAILED', { detail: 'dpkg left a package half installed: see dpkg --audit' });
        },
      },
    ],
    isDone: isInstalled,
    note: installedNote,
    doubt: 'Some security updates are still waiting. Look at /var/log/apt/term.log.',
  };
}
