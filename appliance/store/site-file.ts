import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '@sitewarden/kit/files';
import type { LifecyclePart } from '@sitewarden/kit/lifecycle';
import { type SqliteDatabase, withTransaction } from '@sitewarden/kit/sqlite';
import type { ApplianceContext } from '../lib/context.ts';
import * as state from './state.ts';
import { STATE_NAMES, type StateName } from './state.ts';

/** Whose the box is and under which configuration, outside the database: losing that would need a visit. */
const FILE = 'site.json';

type Saved = Partial<Record<StateName, unknown>>;

/** What the file says of one thing, for whoever looks beside a running box; undefined when it cannot be read. */
export function readSiteFile<N extends StateName>(dataDir: string, name: N): state.StateValues[N] | undefined {
  return readSaved(dataDir)?.[name] as state.StateValues[N] | undefined;
}

function readSaved(dataDir: string): Saved | undefined {
  try {
    return JSON.parse(readFileSync(join(dataDir, FILE), 'utf8')) as Saved;
  } catch {
    return undefined;
  }
}

/** Puts back what the database does not know (any more). Answers what was put back. */
export function restoreSite(db: SqliteDatabase, dataDir: string, atMs: number): StateName[] {
  const saved = readSaved(dataDir);
  if (saved === undefined) return [];
  const missing = STATE_NAMES.filter((name) => saved[name] !== undefined && state.get(db, name) === undefined);
  withTransaction(db, () => {
    for (const name of missing) state.set(db, name, { value: saved[name] as never, atMs });
  });
  return missing;
}

/** Keeps the file as the rows are, once the box is claimed. Before that there is nothing worth keeping. */
export function createSiteFile({ db, config, log, signals }: ApplianceContext): LifecyclePart {
  let writing = Promise.resolve();
  let off: (() => void)[] = [];

  function save(): void {
    if (state.get(db, 'claim')?.phase !== 'claimed') return;
    const rows = Object.fromEntries(STATE_NAMES.map((name) => [name, state.get(db, name)]));
    writing = writing
      .then(() => writeFileAtomic(join(config.dataDir, FILE), `${JSON.stringify(rows)}\n`, { mode: 0o600 }))
      .catch((error: unknown) => log.warn({ err: error }, 'the copy of the site configuration was not written'));
  }

  return {
    name: 'site-file',
    start() {
      off = [signals.on('claimed', save), signals.on('config', save), signals.on('heard', save)];
      save();
    },
    async stop() {
      for (const leave of off) leave();
      await writing;
    },
  };
}
