import type { Facts } from '@sitewarden/agent-proto/agent';
import { countFact, flagFact, listFact, textFact } from '../facts.ts';
import type { Verdict } from '../types.ts';
import { verdictsOf } from '../verdict.ts';

const verdicts = verdictsOf('firewall', 'incoming packets that no rule names are dropped or rejected');

export function evaluateFirewall(facts: Facts): Verdict {
  const problem = textFact(facts, 'probe_error');
  const active = flagFact(facts, 'active');
  const policy = textFact(facts, 'input_policy');
  const technology = textFact(facts, 'technology');
  if (problem !== undefined) return verdicts.unknown(problem);
  if (technology === 'windows') return evaluateWindows(facts);
  if (active === undefined || policy === undefined || technology === undefined) {
    return verdicts.unknown('The rules of the firewall were not seen. Run the check again.');
  }
  if (!active) {
    return verdicts.fail(
      'high',
      'no input filter is loaded',
      technology === 'alf'
        ? 'Nothing filters incoming connections. Turn on the firewall in System Settings, Network.'
        : 'Nothing filters incoming packets. Turn on ufw, firewalld or an nftables ruleset.',
    );
  }
  if (policy === 'drop' || policy === 'reject') {
    return verdicts.pass(
      `${technology}: ${policy}, ${countFact(facts, 'rule_count') ?? 0} rules`,
      'What no rule allows does not come in.',
    );
  }
  if (policy === 'by_program' && technology === 'alf') {
    return verdicts.pass('alf: by program', 'Programs that were not let in get no connection.');
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

function evaluateWindows(facts: Facts): Verdict {
  const active = flagFact(facts, 'active');
  const off = listFact(facts, 'profiles_off');
  const policy = textFact(facts, 'input_policy');
  const source = textFact(facts, 'policy_source');
  if (off !== undefined && off.length > 0) {
    return verdicts.fail(
      'high',
      `off in the profiles ${off.join(', ')}`,
      'Windows Firewall lets everything in where it is off. Turn on all three profiles and the service Windows Defender Firewall.',
    );
  }
  if (active === false) {
    return verdicts.fail(
      'high',
      'Windows Firewall is off',
      'Nothing filters incoming packets. Turn on Windows Firewall.',
    );
  }
  if (policy === 'accept') {
    return verdicts.fail(
      'high',
      'windows: accept',
      'Incoming packets that no rule names are let in. Set the default inbound action of all profiles to Block.',
    );
  }
  if (active === undefined || off === undefined || policy !== 'drop' || source === undefined) {
    return verdicts.unknown('The state of Windows Firewall is not wholly known. Run Get-NetFirewallProfile by hand.');
  }
  if (source === 'local') {
    return verdicts.unknown(
      'Only local settings were seen, and group policy may say otherwise. Run Get-NetFirewallProfile -PolicyStore ActiveStore by hand.',
    );
  }
  return verdicts.pass('windows: drop in all profiles', 'What no rule allows does not come in.');
}
