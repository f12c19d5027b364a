import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runTool } from '@sitewarden/kit/exec';
import fc from 'fast-check';
import t from 'tap';
import { evaluateFirewall } from '../../../agent/collect/firewall/evaluate.ts';
import { firewallFacts, hasIpv6 } from '../../../agent/collect/firewall/facts.ts';
import { parseIptablesRules } from '../../../agent/collect/firewall/iptables-rules.ts';
import { parseNftRuleset } from '../../../agent/collect/firewall/nft-ruleset.ts';
import { findTool, skipWithout } from '../../helpers/needs.ts';
import { runOne } from './run-one.ts';

const fixture = (name: string) => readFileSync(new URL(`./fixtures/${name}`, import.meta.url), 'utf8');

t.test('the rules ufw loads drop what no rule names, in both families', async (t) => {
  const seen = parseNftRuleset(fixture('nft-ufw.json'))!;
  const unclear = { fate: { ipv4: 'unclear', ipv6: 'unclear' }, manager: 'ufw', iptablesOnly: ['ipv4', 'ipv6'] };
  t.match(seen, unclear, 'nft names the conditions of iptables and does not tell them');
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

const CLOSED =
  'ct state established,related accept; iif lo accept; tcp dport 22 accept; meta l4proto { icmp, ipv6-icmp } accept;';
/** Input with a policy of drop for both families, and IPv6 in use only where the test says nothing else. */
const NFT_ACCEPTS: [title: string, rules: string, status: string, more?: string][] = [
  ['one interface', 'iifname "eth0" accept;', 'fail'],
  ['tcp and udp, each without a port', 'meta l4proto tcp accept; meta l4proto udp accept;', 'fail'],
  ['both halves of all addresses', 'ip saddr 0.0.0.0/1 accept; ip saddr 128.0.0.0/1 accept;', 'fail'],
  [
    'both halves in a set of its own',
    'ip saddr @halves accept;',
    'fail',
    'set halves { type ipv4_addr; flags interval; elements = { 0.0.0.0/1, 128.0.0.0/1 }; };',
  ],
  ['all ports by a range', 'tcp dport 1-65535 accept;', 'fail'],
  ['all but one port', 'tcp dport != 23 accept;', 'fail'],
  ['every source port', 'udp sport 53 accept;', 'fail'],
  ['its own address', 'ip daddr 192.0.2.1 accept;', 'fail'],
  ['one interface in a chain behind a jump', 'iifname "eth0" jump a;', 'fail', 'chain a { accept; };'],
  ['one interface in a verdict map', 'iifname vmap { "lo" : accept, "eth0" : accept };', 'fail'],
  ['so many packets a second', 'limit rate 10/second accept;', 'fail'],
  ['what a mark says', 'meta mark 7 accept;', 'unknown'],
  [
    'private networks',
    'ip saddr 10.0.0.0/8 accept; ip saddr 192.168.1.0/24 accept; ip6 saddr fc00::/7 accept;',
    'pass',
  ],
  [
    'a few ports, as a set and as a map',
    'tcp dport { 80, 443 } accept; udp dport vmap { 53 : accept, 123 : accept };',
    'pass',
  ],
  ['one port on one interface', 'iifname "eth0" tcp dport 22 accept;', 'pass'],
  ['a port in a chain of an interface', 'iifname "eth0" jump a;', 'pass', 'chain a { tcp dport 22 accept; };'],
];
for (const [title, rules, status, more = ''] of NFT_ACCEPTS) {
  t.test(`nft that drops by default and accepts ${title}: ${status}`, async (t) => {
    if (skipWithout(t, { tools: ['nft', 'unshare'], root: true })) return;
    const chain = `chain i { type filter hook input priority 0; policy drop; ${CLOSED} ${rules} };`;
    const file = join(t.testdir(), 'rules.nft');
    writeFileSync(file, `table inet f {\n${more}\n${chain}\n}\n`);
    const [outcome] = await runOne('firewall', ['unshare', '-n', 'sh', '-c', 'nft -f "$0" && exec "$@"', file]);
    t.match(outcome, { status });
  });
}

const IPTABLES_ACCEPTS: [title: string, rules: string[], fate: string][] = [
  ['one interface', ['-i eth0 -j ACCEPT'], 'accept'],
  ['tcp and udp, each without a port', ['-p tcp -j ACCEPT', '-p udp -j ACCEPT'], 'accept'],
  ['both halves of all addresses', ['-s 0.0.0.0/1 -j ACCEPT', '-s 128.0.0.0/1 -j ACCEPT'], 'accept'],
  ['all ports by a range', ['-p tcp -m tcp --dport 1:65535 -j ACCEPT'], 'accept'],
  ['all but one port', ['-p tcp -m tcp ! --dport 23 -j ACCEPT'], 'accept'],
  ['all but one address', ['! -s 192.0.2.7/32 -j ACCEPT'], 'accept'],
  ['every source port', ['-p udp -m udp --sport 53 -j ACCEPT'], 'accept'],
  ['a range of half the addresses', ['-m iprange --src-range 0.0.0.0-127.255.255.255 -j ACCEPT'], 'accept'],
  ['what a mark says', ['-m mark --mark 0x7 -j ACCEPT'], 'unclear'],
  ['a set of addresses', ['-m set --match-set friends src -j ACCEPT'], 'unclear'],
  ['what a program says', ['-p tcp -m tcp --tcp-flags SYN SYN -j NFQUEUE --queue-num 1'], 'unclear'],
  ['private networks', ['-s 10.0.0.0/8 -j ACCEPT', '-s 192.168.1.0/24 -i eth0 -j ACCEPT'], 'drop'],
  [
    'a few ports',
    ['-p tcp -m multiport --dports 80,443,8000:8010 -j ACCEPT', '-p udp -m udp --dport 123 -j ACCEPT'],
    'drop',
  ],
  ['ICMP and multicast', ['-p icmp -m icmp --icmp-type 8 -j ACCEPT', '-d 224.0.0.0/4 -j ACCEPT'], 'drop'],
  ['what is not new', ['-i lo -j ACCEPT', '-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT'], 'drop'],
];
for (const [title, rules, fate] of IPTABLES_ACCEPTS) {
  t.test(`iptables that drops by default and accepts ${title}: ${fate}`, async (t) => {
    const listing = (policy: string, ...more: string[]) =>
      ['-P INPUT', policy, ...[...rules, ...more].map((rule) => `\n-A INPUT ${rule}`)].join(' ');
    t.equal(parseIptablesRules(listing('DROP'))?.fate, fate);
    t.equal(parseIptablesRules(listing('ACCEPT', '-j DROP'))?.fate, fate, 'the same with a drop at the end');
    if (['iptables', 'unshare'].some((tool) => findTool(tool) === undefined)) return;
    const load = ['iptables -P INPUT DROP', ...rules.map((rule) => `iptables -A INPUT ${rule}`), 'iptables -S'];
    const listed = await runTool(['unshare', '-n', 'sh', '-c', load.join(' && ')]);
    if (listed.exitCode === 0) t.equal(parseIptablesRules(listed.stdout)?.fate, fate, 'as the tool lists it');
  });
}

t.test('what returns from a chain before its drop goes on to what comes after', async (t) => {
  const fate = (...rules: string[]) => parseIptablesRules(['-P INPUT ACCEPT', '-N a', ...rules].join('\n'))?.fate;
  t.equal(fate('-A INPUT -j a', '-A a -i eth0 -j RETURN', '-A a -j DROP'), 'accept');
  t.equal(fate('-A INPUT -j a', '-A a -p tcp -m tcp --dport 22 -j RETURN', '-A a -j DROP'), 'drop');
  t.equal(fate('-A INPUT -j a', '-A a -m mark --mark 0x1 -j RETURN', '-A a -j DROP'), 'unclear');
  t.equal(fate('-A INPUT -g a', '-A a -j DROP', '-A INPUT -j ACCEPT'), 'drop');
});

t.test('a ruleset made to keep the agent busy is unclear, and soon', async (t) => {
  const names = Array.from({ length: 20 }, (_, i) => `c${i}`);
  const rules = names.flatMap((from) => names.map((to) => `-A ${from} -j ${to}`));
  const listing = ['-P INPUT DROP', ...names.map((name) => `-N ${name}`), '-A INPUT -j c0', ...rules].join('\n');
  t.equal(parseIptablesRules(listing)?.fate, 'unclear');
});

t.test('an unclear rule is unknown, unless another family is open', async (t) => {
  const policy = (input_policy: string) =>
    evaluateFirewall({ technology: 'nftables', active: true, input_policy, rule_count: 1 });
  t.match(policy('unclear'), { status: 'unknown', reason: /cannot judge/ });
  t.match(policy('ipv4=drop ipv6=unclear'), { status: 'unknown' });
  t.match(policy('ipv4=accept ipv6=unclear'), { status: 'fail', reason: /^IPv4 packets/ });
});

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
