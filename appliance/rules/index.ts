export { type ActionName, type BoxAction, isBoxAction, RULE_ACTIONS } from './actions.ts';
export { BUILTIN_RULES_DIR, checkRuleFiles, loadRuleFolder, type RulesResult } from './load.ts';
export { parseRule, type RuleResult } from './parse.ts';
export { createRuleSet, type RuleSet } from './rule-set.ts';
export type { Rule, RuleSubject } from './types.ts';
