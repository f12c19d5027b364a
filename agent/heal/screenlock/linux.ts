import { access, mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Facts } from '@sitewarden/agent-proto/agent';
import { readFileIfExists, syncFolder, writeFileAtomic } from '@sitewarden/kit/files';
import type { ActionContext, Sight } from '../actions/types.ts';
import type { Argv, Host } from '../host.ts';
import { notPossible, refused, type Step, toolStep } from '../plan.ts';
import type { Way } from '../repair.ts';
import { dconfKeyfile, dconfLocks, dconfProfile, kscreenlockerrc } from './policy-texts.ts';

interface PolicyFile {
  readonly path: string;
  text(former: string | undefined, idleSeconds: number): string;
}

const DCONF_FILES: readonly PolicyFile[] = [
  { path: 'etc/dconf/db/local.d/50-sitewarden-screenlock', text: (_, idleSeconds) => dconfKeyfile(idleSeconds) },
  { path: 'etc/dconf/db/local.d/locks/50-sitewarden-screenlock', text: dconfLocks },
  { path: 'etc/dconf/profile/user', text: dconfProfile },
];
const PLASMA_FILES: readonly PolicyFile[] = [{ path: 'etc/xdg/kscreenlockerrc', text: kscreenlockerrc }];
const PLASMA_SHELL = 'usr/bin/plasmashell';
/** What is kept for undo is bounded; files of people who administer machines are far smaller. */
const MAX_FORMER_CHARS = 4 * 1024;
/** Stands for a file that was not there; anything that was begins with a `=`. */
const ABSENT = '-';

export const screenlockLinux: Way<{ idle_seconds: number }> = {
  async plan(_before, { idle_seconds: idleSeconds }, context) {
    const { host, signal } = context;
    const hasDconf = !(await host.run(['dconf', 'help'], { signal })).missing;
    const hasPlasma = await isThere(join(host.root, PLASMA_SHELL));
    if (!hasDconf && !hasPlasma) {
      return notPossible(
        'This workstation has neither dconf nor Plasma, so nothing reads such a policy. Install dconf.',
      );
    }
    const files = [...(hasDconf ? DCONF_FILES : []), ...(hasPlasma ? PLASMA_FILES : [])];
    const formers = await readAll(files, host);
    if (formers.some((text) => text !== undefined && text.length > MAX_FORMER_CHARS)) {
      return notPossible('A policy file that is there is too long to be kept for undo. Set the lock by hand.');
    }
    const wanted = files.map(({ text }, index) => text(formers[index], idleSeconds));
    const steps = files.flatMap(({ path }, index) =>
      wanted[index] === formers[index] ? [] : [writeStep(path, wanted[index], host)],
    );
    if (steps.length === 0) return { nothing: `the policy of ${idleSeconds} s is set.` };
    return {
      steps: [...steps, ...(hasDconf ? [compileStep(context)] : [])],
      keep: {
        paths: files.map(({ path }) => path),
        formers: formers.map((text) => (text === undefined ? ABSENT : `=${text}`)),
        idle_seconds: idleSeconds,
      },
      settleMs: 3000,
      isDone: (after) => locksWithin(after, idleSeconds),
      note: ({ facts }) => (facts.graphical_sessions === 0 ? 'It holds from the next log-in on.' : ''),
      doubt:
        'The policy is written, and a session that runs does not show it. It takes it at the next log-in: check then.',
    };
  },
  async undo(kept, _before, context) {
    const former = formersOf(kept);
    if (former === undefined) return { refusal: { code: 'UNDO_UNKNOWN' } };
    const now = await readAll(former.files, context.host);
    const isTouched = former.files.some(
      ({ text }, index) => now[index] !== text(former.texts[index], former.idleSeconds),
    );
    if (isTouched) {
      return refused('RULED_ELSEWHERE', 'A policy file was changed since that order. Look at the files by hand.');
    }
    const steps = former.files.flatMap(({ path }, index) =>
      now[index] === former.texts[index] ? [] : [writeStep(path, former.texts[index], context.host)],
    );
    if (steps.length === 0) return { nothing: 'the former files are there.' };
    const hasDconf = former.files.some((file) => DCONF_FILES.includes(file));
    // Each step throws where a file could not be put back; what people's sessions show has their own settings in it.
    return { steps: [...steps, ...(hasDconf ? [compileStep(context)] : [])], isDone: () => true };
  },
};

/** Without a session there is nobody to look at: the files are there, or their step had failed. */
function locksWithin({ facts }: Sight, idleSeconds: number): boolean {
  if (facts.graphical_sessions === 0) return true;
  const idle = facts.idle_seconds;
  return facts.lock_enabled === true && typeof idle === 'number' && idle > 0 && idle <= idleSeconds;
}

const readAll = (files: readonly PolicyFile[], { root }: Host): Promise<(string | undefined)[]> =>
  Promise.all(files.map(async ({ path }) => (await readFileIfExists(join(root, path)))?.toString('utf8')));

/** `undefined` removes the file. */
function writeStep(path: string, text: string | undefined, { root }: Host): Step {
  const full = join(root, path);
  if (text === undefined) {
    return {
      words: `remove /${path}`,
      async run() {
        await rm(full, { force: true });
        await syncFolder(dirname(full));
      },
    };
  }
  return {
    words: `write /${path}`,
    async run() {
      await mkdir(dirname(full), { recursive: true, mode: 0o755 });
      await writeFileAtomic(full, text, { mode: 0o644 });
    },
  };
}

/** People's sessions read the compiled database, not the files. */
function compileStep({ host, signal }: ActionContext): Step {
  const folder = host.root === '/' ? [] : [join(host.root, 'etc/dconf/db')];
  const argv: Argv = ['dconf', 'update', ...folder];
  return toolStep(argv, { host, signal, packageName: 'dconf' });
}

function formersOf(kept: Facts) {
  const { paths, formers, idle_seconds: idleSeconds } = kept;
  if (!Array.isArray(paths) || !Array.isArray(formers) || typeof idleSeconds !== 'number') return undefined;
  const known = [...DCONF_FILES, ...PLASMA_FILES];
  const files = paths.map((path) => known.find((file) => file.path === path)).filter((file) => file !== undefined);
  if (files.length !== paths.length || formers.length !== paths.length) return undefined;
  const texts = formers.map((text) => (text === ABSENT ? undefined : text.slice(1)));
  return { files, texts, idleSeconds };
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
