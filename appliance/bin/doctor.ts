import { readFileSync } from 'node:fs';
import { systemClock } from '@sitewarden/kit/time';
import { outboundProxy, readConfigFile } from '../config/index.ts';
import { type DoctorLine, runDoctor } from '../doctor/index.ts';
import { keyStorageOf } from '../identity/index.ts';

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
  const keys = await keyStorageOf(config.dataDir);
  if (json) console.log(JSON.stringify({ lines, keys: keys ?? null }));
  else console.log(`ok      keys     ${KEY_WORDS[keys ?? 'none']}`);
  if (lines.some(({ state }) => state === 'failed')) process.exitCode = 1;
}

const textOf = ({ name, state, text }: DoctorLine): string => `${MARKS[state]} ${name.padEnd(8)} ${text}`;
