import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { evaluateFirewall } from '../../../agent/collect/firewall/evaluate.ts';
import { firewallFacts, hasIpv6 } from '../../../agent/collect/firewall/facts.ts';
import { parseIptablesRules } from '../../../agent/collect/firewall/iptables-rules.ts';
import { parseNftRuleset } from '../../../agent/collect/firewall/nft-ruleset.ts';
import { skipWithout } from '../../helpers/needs.ts';
import { runOne } from './run-one.ts';

const fixture = (name: string) => readFileSync(new URL(`./fixtures/${name}`, import.meta.url), 'utf8');

t.test('the rules ufw loads drop what no rule names, in both families', async (t) => {
  const seen = parseNftRuleset(fixture('nft-ufw.json'))!;
  t.match(seen, { fate: { ipv4: 'drop', ipv6: 'drop' }, manager: 'ufw' });
  t.match(parseIptablesRules(fixture('iptables-ufw.txt')), { fate: 'drop', isUfw: true, ruleCount: 31 });
});

t.test('a chain that ends in a reject behind a comment rejects, and says nothing about IPv6', async (t) => {
  const seen = parseNftRuleset(fixture('nft-iptables.json'))!;
  t.strictSame(seen.fate, { ipv4: 'reject' });
  const facts = firewallFacts({ technology: 'nftables', fate: seen.fate, ruleCount: 4, ipv6InUse: true });
  t.equal(facts.input_policy, 'ipv4=reject ipv6=none');
  t.match(evaluateFirewall(facts), { status: 'fail', reason: /^IPv6 packets/ });
  t.equal(firewallFacts({ technology: 'x', fate: seen.fate, ruleCount: 4, ipv6InUse: false }).input_policy, 'reject');
});

t.test('an unconditional accept decides, also behind a comment and before a policy of drop', async (t) => {
  t.equal(
    parseIptablesRules(
      '-P INPUT DROP\n-A INPUT -i lo -j ACCEPT\n-A INPUT -m comment --comment "all in" -j ACCEPT\n-A INPUT -j DROP',
    )?.fate,
    'accept',
  );
  t.equal(parseIptablesRules('-P INPUT ACCEPT\n-A INPUT -p tcp -j DROP')?.fate, 'accept');
  t.equal(parseIptablesRules('-P INPUT DROP\n-A INPUT -j a\n-A a -j RETURN\n-A a -j ACCEPT')?.fate, 'drop');
  t.equal(
    parseIptablesRules('-P INPUT ACCEPT\n-P OUTPUT DROP')?.fate,
    undefined,
    'no rule and no policy filters nothing',
  );
  t.equal(parseIptablesRules('-P INPUT ACCEPT\n-A INPUT -j a\n-A a -j INPUT')?.fate, 'accept', 'a loop ends');
});

t.test('what is no listing is no answer', async (t) => {
  t.equal(parseIptablesRules(''), undefined);
  t.equal(parseIptablesRules('iptables: command not found'), undefined);
  for (const text of ['', '{}', '{"nftables":1}', 'null']) t.equal(parseNftRuleset(text), undefined, text);
  fc.assert(
    fc.property(fc.jsonValue(), fc.string(), (value, text) => {
      parseNftRuleset(JSON.stringify({ nftables: [{ chain: value }, { rule: value }, value] }));
      parseIptablesRules(text);
    }),
  );
});

t.test('loopback alone is no IPv6 in use', async (t) => {
  const lo = '00000000000000000000000000000001 01 80 10 80       lo\n';
  t.equal(hasIpv6(lo), false);
  t.equal(hasIpv6(`${lo}fe800000000000000000000000000001 02 40 20 80     eth0\n`), true);
});

const RULESETS: [title: string, rules: string, status: string, policy: string][] = [
  ['nothing', '', 'fail', 'none'],
  [
    'a default drop for both families',
    'table inet f { chain i { type filter hook input priority 0; policy drop; iif lo accept; }; }',
    'pass',
    'drop',
  ],
  [
    'a firewalld-like end in reject',
    'table inet f { chain z { tcp dport 22 accept; }; chain i { type filter hook input priority 10; policy accept; ct state established accept; iif lo accept; jump z; ct state invalid drop; reject with icmpx type admin-prohibited; }; }',
    'pass',
    'reject',
  ],
  [
    'single ports blocked and the rest open',
    'table inet f { chain i { type filter hook input priority 0; policy accept; tcp dport 23 drop; }; }',
    'fail',
    'accept',
  ],
  [
    'only output filtered',
    'table inet f { chain o { type filter hook output priority 0; policy drop; }; }',
    'fail',
    'none',
  ],
];

for (const [title, rules, status, policy] of RULESETS) {
  t.test(`${title}, loaded into a network of its own: ${status}`, async (t) => {
    if (skipWithout(t, { tools: ['nft', 'unshare'], root: true })) return;
    const file = join(t.testdir(), 'rules.nft');
    writeFileSync(file, `${rules.replaceAll(';', '\n').replaceAll('{', '{\n').replaceAll('}', '\n}\n')}\n`);
    const scene = ['unshare', '-n', 'sh', '-c', 'nft -f "$0" && exec "$@"', file];
    const [outcome] = await runOne('firewall', scene);
    t.match(outcome, { status, facts: { input_policy: policy, active: policy !== 'none' } });
  });
}

t.test('without privilege the answer is unknown with the next step', async (t) => {
  if (skipWithout(t, { tools: ['nft', 'setpriv'], root: true })) return;
  const drop = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--'];
  const [outcome] = await runOne('firewall', drop);
  t.match(outcome, { status: 'unknown', reason: /Run the agent as root\.$/ });
});

const ANY4 = {
  match: {
    op: '==',
    left: { payload: { protocol: 'ip', field: 'saddr' } },
    right: { prefix: { addr: '0.0.0.0', len: 0 } },
  },
};
const ANY6 = {
  match: {
    op: '==',
    left: { payload: { protocol: 'ip6', field: 'saddr' } },
    right: { prefix: { addr: '::', len: 0 } },
  },
};
const LAN = {
  match: {
    op: '==',
    left: { payload: { protocol: 'ip', field: 'saddr' } },
    right: { prefix: { addr: '10.0.0.0', len: 8 } },
  },
};
const state = (right: unknown) => ({ match: { op: 'in', left: { ct: { key: 'state' } }, right } });
const states = (set: unknown[]) => ({ vmap: { key: { ct: { key: 'state' } }, data: { set } } });
const ACCEPT = { accept: null };
const DROP = { drop: null };

function fateOf(...rules: unknown[][]) {
  const own = { family: 'inet', table: 't' };
  const chain = { ...own, name: 'input', type: 'filter', hook: 'input', policy: 'drop' };
  const nftables = [{ chain }, ...rules.map((expr) => ({ rule: { ...own, chain: 'input', expr } }))];
  return parseNftRuleset(JSON.stringify({ nftables }))?.fate;
}

t.test('a condition that every new connection meets is none', async (t) => {
  const closed = { ipv4: 'drop', ipv6: 'drop' };
  const open = { ipv4: 'accept', ipv6: 'accept' };
  t.strictSame(fateOf([ANY4, ACCEPT]), { ...closed, ipv4: 'accept' });
  t.strictSame(fateOf([ANY6, { counter: {} }, ACCEPT]), { ...closed, ipv6: 'accept' });
  t.strictSame(fateOf([state('new'), ACCEPT]), open);
  t.strictSame(fateOf([state(['established', 'new']), ACCEPT]), open);
  t.strictSame(fateOf([state({ set: ['new', 'related'] }), ACCEPT]), open);
  t.strictSame(
    fateOf([
      states([
        ['established', ACCEPT],
        ['new', ACCEPT],
      ]),
    ]),
    open,
  );
  t.strictSame(fateOf([{ match: { op: '==', left: { meta: { key: 'nfproto' } }, right: 'ipv4' } }, ACCEPT]), {
    ...closed,
    ipv4: 'accept',
  });
  t.strictSame(fateOf([LAN, ACCEPT], [state(['established', 'related']), ACCEPT]), closed);
  t.strictSame(
    fateOf([
      states([
        ['established', ACCEPT],
        ['invalid', DROP],
      ]),
    ]),
    closed,
  );
  t.strictSame(fateOf([LAN, state('new'), ACCEPT]), closed, 'both conditions must hold');
  t.strictSame(fateOf([state('new'), DROP], [ACCEPT]), closed, 'the first that decides');
});

t.test('the same for iptables', async (t) => {
  const fate = (...rules: string[]) => parseIptablesRules(['-P INPUT DROP', ...rules].join('\n'))?.fate;
  t.equal(fate('-A INPUT -m conntrack --ctstate NEW -j ACCEPT'), 'accept');
  t.equal(fate('-A INPUT -m state --state RELATED,NEW,ESTABLISHED -j ACCEPT'), 'accept');
  t.equal(fate('-A INPUT -s 0.0.0.0/0 -j ACCEPT'), 'accept');
  t.equal(fate('-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT'), 'drop');
  t.equal(fate('-A INPUT -m conntrack ! --ctstate NEW -j ACCEPT'), 'drop');
  t.equal(fate('-A INPUT -s 10.0.0.0/8 -m conntrack --ctstate NEW -j ACCEPT'), 'drop');
});
