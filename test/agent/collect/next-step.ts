/** Words a next step begins with. */
const STEPS =
  'Add|Allow|Ask|Check|Correct|Encrypt|Filter|Find|Install|Leave|Let|Look|Move|Open|Put|Refresh|Restart|Run|Set|Start|Turn|Unlock|Update|Accept|Mend';
const STEP = new RegExp(`(?:^|[.:;] |, then )(?:${STEPS})\\b[^.]*(?:\\.[^ ][^.]*)*\\.$`, 'i');

/** Does the reason end by saying what to do? */
export const endsWithStep = (reason: string): boolean => STEP.test(reason.trim());
