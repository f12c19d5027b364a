import { TIERS } from '../../agent-proto/checks/index.ts';
import { BUILTIN_RULES_DIR, loadRuleFolder } from '../../appliance/rules/index.ts';
import { code, page, table } from './markdown.ts';

export function rulesPage(): string {
  const result = loadRuleFolder(BUILTIN_RULES_DIR);
  if (!result.ok) throw new Error(result.text);
  const rows = result.rules.map((rule) => [
    code(`${rule.id}@${rule.version}`),
    rule.title,
    rule.check,
    code(rule.action),
    TIERS[rule.minTier],
    `${rule.cooldown.ms / 1000} s per ${rule.cooldown.per}`,
    `${rule.attempts.max} in ${rule.attempts.withinMs / 60_000} min per ${rule.attempts.per}`,
  ]);
  return page(
    'Built-in rules',
    'Files in `appliance/rules/builtin`, with the reason beside each number.',
    table(['rule', 'what it does', 'check', 'action', 'agent tier from', 'cooldown', 'attempts'], rows),
  );
}
