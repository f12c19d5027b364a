import type { CheckName } from '@sitewarden/agent-proto/checks';

/** What the box checks on itself, as its agents check theirs. */
export const BOX_CHECKS: readonly CheckName[] = ['services'];
