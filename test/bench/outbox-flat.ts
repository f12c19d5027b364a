import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Figure } from './benches.ts';
import type { FlatAnswer, FlatQuestion } from './children/outbox-filler.ts';
import { startChild } from './lib/child.ts';
import { figureOf } from './lib/figures.ts';

const ROUNDS = 3;
const MANY = 1_000_000;
const FEW = 1000;

/** Peak memory of a process that queues rows, looks at the lanes and settles some of them. */
export async function run(): Promise<Figure[]> {
  const values: number[] = [];
  const controls: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    values.push(await peakMb(MANY));
    controls.push(await peakMb(FEW));
  }
  const note = `${MANY} rows of 400 bytes against ${FEW}`;
  return [figureOf({ name: 'outbox-flat', unit: 'MB', values, controls, note })];
}

async function peakMb(rows: number): Promise<number> {
  const dataDir = mkdtempSync(join(tmpdir(), 'sitewarden-bench-'));
  const { child } = await startChild<FlatQuestion, FlatAnswer>('outbox-filler.ts');
  try {
    const { peakBytes, depth } = await child.ask({ dataDir, rows });
    if (depth !== rows) throw new Error(`${depth} rows were queued, not ${rows}`);
    return peakBytes / 1e6;
  } finally {
    await child.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}
