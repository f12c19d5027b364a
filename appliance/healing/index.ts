export { PLAN_CODES, type PlanCode, RUN_CODES, type RunCode } from '../lib/action-codes.ts';
export { createHealing, type Healing, type HealingOptions } from './healing.ts';
