import type { StoreKind } from '../types.ts';
import { firstMigration } from './0001-first.ts';
import { liveSummaryMigration } from './0002-live-summary.ts';
import { fleetListIndexes } from './0003-fleet-list-indexes.ts';
import { codeReplaces } from './0004-code-replaces.ts';
import { peopleMigration } from './0005-people.ts';
import { codeLife } from './0006-code-life.ts';
import { inviteMaker } from './0007-invite-maker.ts';
import { claimDoctor } from './0008-claim-doctor.ts';
import { custodyMigration } from './0009-custody.ts';
import { keyRotation } from './0010-key-rotation.ts';
import { retiredKeyUse } from './0011-retired-key-use.ts';
import { receiptProof } from './0012-receipt-proof.ts';
import { transfers } from './0013-transfers.ts';
import { offerAddress } from './0014-offer-address.ts';
import { logFirstKey } from './0015-log-first-key.ts';
import { siteSecrets } from './0016-site-secrets.ts';
import { agentRmm } from './0017-agent-rmm.ts';
import { rearmTries } from './0018-rearm-tries.ts';
import { agentTiers } from './0019-agent-tiers.ts';
import { checkHistory } from './0020-check-history.ts';
import { claimArrival } from './0021-claim-arrival.ts';
import { orderRepairs } from './0022-order-repairs.ts';
import { laneLosses } from './0023-lane-losses.ts';

/** `statements` of one transaction. Appended only: a migration that was ever applied never changes. */
export interface RelayMigration {
  readonly name: string;
  statements(kind: StoreKind): string[];
}

export const MIGRATIONS: readonly RelayMigration[] = [
  { name: '0001-first', statements: firstMigration },
  { name: '0002-live-summary', statements: liveSummaryMigration },
  { name: '0003-fleet-list-indexes', statements: fleetListIndexes },
  { name: '0004-code-replaces', statements: codeReplaces },
  { name: '0005-people', statements: peopleMigration },
  { name: '0006-code-life', statements: codeLife },
  { name: '0007-invite-maker', statements: inviteMaker },
  { name: '0008-claim-doctor', statements: claimDoctor },
  { name: '0009-custody', statements: custodyMigration },
  { name: '0010-key-rotation', statements: keyRotation },
  { name: '0011-retired-key-use', statements: retiredKeyUse },
  { name: '0012-receipt-proof', statements: receiptProof },
  { name: '0013-transfers', statements: transfers },
  { name: '0014-offer-address', statements: offerAddress },
  { name: '0015-log-first-key', statements: logFirstKey },
  { name: '0016-site-secrets', statements: siteSecrets },
  { name: '0017-agent-rmm', statements: agentRmm },
  { name: '0018-rearm-tries', statements: rearmTries },
  { name: '0019-agent-tiers', statements: agentTiers },
  { name: '0020-check-history', statements: checkHistory },
  { name: '0021-claim-arrival', statements: claimArrival },
  { name: '0022-order-repairs', statements: orderRepairs },
  { name: '0023-lane-losses', statements: laneLosses },
];
