import { readFileSync } from 'node:fs';
import { systemClock } from '@sitewarden/kit/time';
import { outboundProxy, readConfigFile } from '../config/index.ts';
import { type DoctorLine, runDoctor } from '../doctor/index.ts';

const MARKS = { ok: 'ok     ', failed: 'FAILED ', skipped: '-      ' } as const;

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
  if (json) console.log(JSON.stringify({ lines }));
  if (lines.some(({ state }) => state === 'failed')) process.exitCode = 1;
}

const textOf = ({ name, state, text }: DoctorLine): string => `${MARKS[state]} ${name.padEnd(8)} ${text}`;
