import type { Facts } from '@sitewarden/agent-proto/agent';
import { countFact, flagFact, textFact } from '../facts.ts';
import type { Verdict } from '../types.ts';
import { verdictsOf } from '../verdict.ts';

const verdicts = verdictsOf('firewall', 'incoming packets that no rule names are dropped or rejected');

export function evaluateFirewall(facts: Facts): Verdict {
  const problem = textFact(facts, 'probe_error');
  const active = flagFact(facts, 'active');
  const policy = textFact(facts, 'input_policy');
  const technology = textFact(facts, 'technology');
  if (problem !== undefined) return verdicts.unknown(problem);
  if (active === undefined || policy === undefined || technology === undefined) {
    return verdicts.unknown('The rules of the firewall were not seen. Run the check again.');
  }
  if (!active) {
    return verdicts.fail(
      'high',
      'no input filter is loaded',
      'Nothing filters incoming packets. Turn on ufw, firewalld or an nftables ruleset.',
    );
  }
  if (policy === 'drop' || policy === 'reject') {
    return verdicts.pass(
      `${technology}: ${policy}, ${countFact(facts, 'rule_count') ?? 0} rules`,
      'What no rule allows does not come in.',
    );
  }
  if (/unclear/.test(policy) && !/accept|none/.test(policy)) {
    return verdicts.unknown(
      'Packets may come in by a rule that the agent cannot judge. Look at the input rules for what they accept.',
    );
  }
  const open = /^ipv4=(?:drop|reject|unclear) /.test(policy)
    ? 'IPv6'
    : /ipv6=(?:drop|reject|unclear)$/.test(policy)
      ? 'IPv4'
      : '';
  return verdicts.fail(
    'high',
    `${technology}: ${policy}`,
    open === ''
      ? 'Packets to any port come in. Accept only ports, networks and states by name, and drop the rest.'
      : `${open} packets to any port come in. Filter ${open} like the other family.`,
  );
}
