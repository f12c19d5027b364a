import { readFileSync } from 'node:fs';
import { listOpenToOthers } from '@sitewarden/kit/files';
import { systemClock } from '@sitewarden/kit/time';
import { outboundProxy, readConfigFile } from '../config/index.ts';
import { type DoctorLine, runDoctor } from '../doctor/index.ts';
import { identityFolder, keyStorageOf } from '../identity/index.ts';
import { readSiteFile } from '../store/index.ts';
import { glanceAtChain } from '../uplink/index.ts';

const MARKS = { ok: 'ok     ', failed: 'FAILED ', skipped: '-      ' } as const;

const KEY_WORDS = {
  none: 'There are none yet: they are made at the first start.',
  plain: 'The private keys lie in files only this program may read; they are not sealed to a TPM.',
  tpm: 'The private keys are sealed to the TPM of this machine.',
} as const;

/** Needs no running appliance, and disturbs none. Exit code 1 when something is wrong. */
export async function doctor({ config: file, json = false }: { config: string; json?: boolean }): Promise<void> {
  const config = await readConfigFile(file);
  const { url, rootKey, caFile } = config.relay;
  const input = {
    relayOrigin: new URL(url).origin,
    rootKey,
    ca: caFile === undefined ? undefined : readFileSync(caFile, 'utf8'),
    proxy: outboundProxy(config),
    dataDir: config.dataDir,
    nowMs: systemClock.nowMs,
  };
  const lines = await runDoctor(input, (line) => {
    if (!json) console.log(textOf(line));
  });
  const notes = await notesOn(config.dataDir);
  const keys = await keyStorageOf(config.dataDir);
  if (json) console.log(JSON.stringify({ lines, keys: keys ?? null, notes }));
  else {
    console.log(`ok      keys     ${KEY_WORDS[keys ?? 'none']}`);
    for (const { text } of notes) console.log(`${MARKS.failed} ${text}`);
  }
  if (notes.length > 0 || lines.some(({ state }) => state === 'failed')) process.exitCode = 1;
}

interface Note {
  readonly code: string;
  readonly text: string;
}

const CHAIN_NOTES = {
  good: [],
  one_copy: [
    {
      code: 'CHECKIN_CHAIN_COPY_DAMAGED',
      text: 'One of the two copies of the check-in chain is damaged. The box writes it anew when it starts; look at its disk.',
    },
  ],
  lost: [
    {
      code: 'CHECKIN_CHAIN_LOST',
      text: 'The check-in chain was damaged on disk or is gone, so the relay takes this box for a copy of itself. Have an admin release it on the site page, and look at its disk.',
    },
  ],
} as const;

/** What is wrong with the box itself, whatever the way to the relay is like. */
async function notesOn(dataDir: string): Promise<Note[]> {
  const open = await listOpenToOthers(identityFolder(dataDir));
  const keys = open.map(({ path, mode }) => ({
    code: 'KEYS_OPEN_TO_OTHERS',
    text: `Other accounts have rights to ${path} (mode ${mode}). Restart the box, which takes them away, and claim it anew if somebody may have read it.`,
  }));
  const wasHeard = readSiteFile(dataDir, 'checkin_heard') !== undefined;
  return [...CHAIN_NOTES[await glanceAtChain(dataDir, wasHeard)], ...keys];
}

const textOf = ({ name, state, text }: DoctorLine): string => `${MARKS[state]} ${name.padEnd(8)} ${text}`;
