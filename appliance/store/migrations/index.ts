import * as first from './0001-first.ts';
import * as lookAgainIndexes from './0002-look-again-indexes.ts';
import * as incidentHistoryIndex from './0003-incident-history-index.ts';
import * as enrollTokenKey from './0004-enroll-token-key.ts';
import * as orderBoxCheck from './0005-order-box-check.ts';
import * as reportInOrder from './0006-report-in-order.ts';
import * as rmm from './0007-rmm.ts';
import * as orderNotBefore from './0008-order-not-before.ts';
import * as losses from './0009-losses.ts';

/** Appended only: a name that was released never changes. */
export const MIGRATIONS = [
  { name: '0001-first', up: first.up },
  { name: '0002-look-again-indexes', up: lookAgainIndexes.up },
  { name: '0003-incident-history-index', up: incidentHistoryIndex.up },
  { name: '0004-enroll-token-key', up: enrollTokenKey.up },
  { name: '0005-order-box-check', up: orderBoxCheck.up },
  { name: '0006-report-in-order', up: reportInOrder.up },
  { name: '0007-rmm', up: rmm.up },
  { name: '0008-order-not-before', up: orderNotBefore.up },
  { name: '0009-losses', up: losses.up },
];
