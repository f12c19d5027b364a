import type { PreviousLog } from '@sitewarden/agent-proto/http';
import type { Tx } from '../store/index.ts';
import { readLog } from '../store/repositories/evidence.ts';

/** Where the log before this epoch ends as the relay cosigned it: of the same appliance, or of the site it was moved from. */
export async function previousLog(
  trx: Tx,
  { applianceId, epoch, movedFrom }: { applianceId: string; epoch: number; movedFrom: string | null },
): Promise<PreviousLog | undefined> {
  if (epoch === 1) return undefined;
  const own = await readLog(trx, { applianceId, epoch: epoch - 1 });
  if (own !== undefined) return { epoch: epoch - 1, size: own.cosignedSize, rootHash: own.cosignedRoot };
  const moved = movedFrom === null ? undefined : await readLog(trx, { applianceId: movedFrom, epoch: epoch - 1 });
  if (moved === undefined) return undefined;
  return { origin: moved.origin, epoch: epoch - 1, size: moved.cosignedSize, rootHash: moved.cosignedRoot };
}
