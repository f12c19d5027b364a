export { describeStep, executeStep } from './execute.ts';
export { type Layout, layoutOf } from './layout.ts';
export { planInstall, planUninstall } from './plan.ts';
export type { Step } from './steps.ts';
