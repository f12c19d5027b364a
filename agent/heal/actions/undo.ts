import { defineAction } from '../define-action.ts';
import { carryOut } from '../plan.ts';
import { isRepairName, REPAIRS } from '../repairs.ts';

/**
 * Puts back what an earlier order of this agent changed, also one that was cut off in the middle: what was there is kept
 * before the first change. Needs the tier of the action it undoes. Works once.
 */
export const undo = defineAction({
  name: 'undo',
  async run({ order_id: orderId, dry_run: isDryRun = false }, context) {
    const found = context.undo.find(orderId);
    if (found === undefined || !isRepairName(found.action)) return nothingKept;
    const { action, check, planUndo } = REPAIRS[found.action];
    if (context.site.tier < action.minTier) return { refusal: { code: 'TIER_TOO_LOW' }, before: {}, after: {} };
    const { service } = found.kept;
    const look = () => context.look(check, typeof service === 'string' ? service : '');
    const before = await look();
    const plan = await planUndo(found.kept, before, context);
    if (plan === undefined) return nothingKept;
    const result = await carryOut(plan, { action: 'undo', before, look, isDryRun, context });
    const isBack = result.refusal === undefined && result.failure === undefined && !isDryRun;
    if (isBack) context.undo.drop(orderId);
    return result;
  },
});

const nothingKept = { refusal: { code: 'UNDO_UNKNOWN' }, before: {}, after: {} } as const;
