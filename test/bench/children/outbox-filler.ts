import { randomBytes } from 'node:crypto';
import { withTransaction } from '@sitewarden/kit/sqlite';
import { nextBatch } from '../../../appliance/outbox/batch.ts';
import { laneDepths } from '../../../appliance/outbox/depth.ts';
import { openStore, outbox } from '../../../appliance/store/index.ts';
import { serveParent } from '../lib/child.ts';

export interface FlatQuestion {
  readonly dataDir: string;
  readonly rows: number;
}

export interface FlatAnswer {
  readonly peakBytes: number;
  /** Before any were settled. */
  readonly depth: number;
}

const BATCH = 1000;
/** Batches that are made as they would be sent, and settled. */
const SETTLED = 1;

serveParent<FlatQuestion, FlatAnswer>({ ready: true }, async ({ dataDir, rows }) => {
  const { db } = openStore(dataDir);
  outbox.openLane(db, 'telemetry', 1);
  for (let done = 0; done < rows; done += BATCH) {
    const batch = Array.from({ length: BATCH }, () => ({ body: randomBytes(400), createdAtMs: done }));
    withTransaction(db, () => outbox.append(db, 'telemetry', batch));
  }
  const { depth } = laneDepths(db, Date.now()).telemetry;
  for (let settled = 0; settled < SETTLED; settled += 1) {
    const { ackedThrough, epoch } = outbox.lane(db, 'telemetry')!;
    const wish = { lane: 'telemetry', epoch, fromSeq: ackedThrough + 1, maxRows: BATCH } as const;
    const made = nextBatch(db, wish)!;
    withTransaction(db, () => outbox.acknowledge(db, 'telemetry', made.firstSeq + made.count - 1));
  }
  db.close();
  return { peakBytes: process.resourceUsage().maxRSS * 1024, depth };
});
