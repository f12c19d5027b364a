import { createBoxSide } from './box-side.ts';
import { createCodes } from './codes.ts';
import type { ClaimDeps } from './deps.ts';
import { createLabels } from './labels.ts';
import { createCodePresenter } from './present-code.ts';
import { createRearmSide } from './rearm-side.ts';
import { createStaffSide } from './staff-side.ts';

export type { ClaimDeps } from './deps.ts';

/** Claiming: `box` what boxes ask, `present` a code they bring, `staff` what people do, `codes` what they make, `labels` what they print, `rearms` boxes that came back under a new key. */
export function createClaims(deps: ClaimDeps) {
  return {
    box: createBoxSide(deps),
    present: createCodePresenter(deps),
    staff: createStaffSide(deps),
    codes: createCodes(deps),
    labels: createLabels(deps),
    rearms: createRearmSide(deps),
  };
}

export type Claims = ReturnType<typeof createClaims>;
