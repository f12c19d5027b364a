/** Who has a box: releases, removals, what is told to boxes that left, and the receipts of all of it. */
export { closeRelease, fetchRelease } from './box-side.ts';
export { cancelMove } from './cancel-move.ts';
export { announceCustody, type CustodyDeps } from './deps.ts';
export { leaveSite, overtakeRelease } from './leave.ts';
export { isOpen, RELEASE_STATES, type ReleaseState } from './machine.ts';
export { issueReceipt, readReceipt } from './receipts.ts';
export { orderRelease, removeBox, withdrawRelease } from './release.ts';
export { custodyOf } from './view.ts';
