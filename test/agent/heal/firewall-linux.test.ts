import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { findTool, skipWithout } from '../../helpers/needs.ts';
import { giveOrders } from '../helpers/give-orders.ts';
import { makeMender, recordingHost, sights } from '../helpers/mender.ts';

const OFF = { facts: { technology: 'none', active: false, input_policy: 'none', rule_count: 0 } };
const ON = {
  status: 'pass',
  facts: { technology: 'ufw', active: true, input_policy: 'drop', rule_count: 30 },
} as const;

/** A network that nobody else is in; gone with the test. */
function network(t: { teardown(fn: () => void): void }): string[] {
  const name = `sitewarden-${process.pid}-${Math.random().toString(36).slice(2, 8)}`;
  execFileSync('ip', ['netns', 'add', name]);
  t.teardown(() => void execFileSync('ip', ['netns', 'delete', name]));
  return ['ip', 'netns', 'exec', name];
}

t.test('the firewall is turned on, proved, turned on once, and put back by undo', async (t) => {
  if (skipWithout(t, { tools: ['nft', 'ip'], root: true })) return;
  if (findTool('ufw') !== undefined || findTool('firewall-cmd') !== undefined) {
    t.pass('a manager of firewalls is here', { skip: 'needs a machine without ufw and firewalld' });
    return;
  }
  const scene = network(t);
  const dir = t.testdir();
  const answers = await giveOrders(
    {
      dir,
      orders: [
        ['firewall_on', { dry_run: true }],
        ['firewall_on', {}, 'ord_on'],
        ['firewall_on', {}, 'ord_on'],
        ['firewall_on', {}, 'ord_again'],
        ['undo', { order_id: 'ord_on', dry_run: true }],
        ['undo', { order_id: 'ord_on' }, 'ord_undo'],
        ['undo', { order_id: 'ord_on' }, 'ord_undo_again'],
        ['undo', { order_id: 'ord_again' }],
      ],
    },
    scene,
  );
  const [dry, on, repeated, again, dryUndo, undone, undoneAgain, neverKept] = answers;
  t.match(dry, { state: 'done', detail: /^Dry run, nothing was changed\. It would do: nft -f -/ });
  t.strictSame(dry!.after, dry!.before);
  t.match(on, { state: 'done', code: '', before: { active: false, technology: 'none' } });
  t.match(on!.after, { active: true, input_policy: 'drop', technology: 'nftables' });
  t.strictSame(repeated, on, 'the same order is answered and not run again');
  t.match(again, { state: 'done', detail: /^Nothing to do/, before: { active: true } });
  t.match(dryUndo, { state: 'done', detail: /nft delete table inet sitewarden/, after: { active: true } });
  t.match(undone, { state: 'done', before: { active: true }, after: { active: false } });
  t.match(undoneAgain, { state: 'refused', code: 'UNDO_UNKNOWN', detail: /\.$/ });
  t.match(neverKept, { state: 'refused', code: 'UNDO_UNKNOWN' }, 'what changed nothing has nothing to undo');
  const left = execFileSync(scene[0]!, [...scene.slice(1), 'nft', 'list', 'ruleset'], { encoding: 'utf8' });
  t.equal(left.trim(), '');
});

t.test('rules that somebody made are left alone, also when they let everything in', async (t) => {
  if (skipWithout(t, { tools: ['nft', 'ip'], root: true })) return;
  const scene = network(t);
  const dir = t.testdir();
  const file = join(dir, 'rules.nft');
  const rules =
    'table inet own {\n chain i {\n type filter hook input priority 0; policy accept;\n tcp dport 23 drop\n }\n}\n';
  writeFileSync(file, rules);
  execFileSync(scene[0]!, [...scene.slice(1), 'nft', '-f', file]);
  const [answer] = await giveOrders({ dir, orders: [['firewall_on']] }, scene);
  t.match(answer, { state: 'refused', code: 'RULED_ELSEWHERE', before: { active: true } });
  const left = execFileSync(scene[0]!, [...scene.slice(1), 'nft', 'list', 'tables'], { encoding: 'utf8' });
  t.equal(left.trim(), 'table inet own');
});

t.test('undo takes away the rules of the agent and no others', async (t) => {
  if (skipWithout(t, { tools: ['nft', 'ip'], root: true })) return;
  const scene = network(t);
  const dir = t.testdir();
  const [on] = await giveOrders({ dir, orders: [['firewall_on', {}, 'ord_on']] }, scene);
  t.match(on, { state: 'done' });
  const own = 'add table inet own; add chain inet own i { type filter hook input priority 5; policy drop; }';
  execFileSync(scene[0]!, [...scene.slice(1), 'nft', own]);
  // Another process with the same folder: what undo needs was on disk.
  const [undone] = await giveOrders({ dir, orders: [['undo', { order_id: 'ord_on' }, 'ord_undo']] }, scene);
  t.match(undone, { state: 'done', after: { active: true } });
  const left = execFileSync(scene[0]!, [...scene.slice(1), 'nft', 'list', 'tables'], { encoding: 'utf8' });
  t.equal(left.trim(), 'table inet own');
});

t.test('a manager that is installed is the one that is told', async (t) => {
  const present = (...tools: string[]) => recordingHost('linux', ([tool]) => (tools.includes(tool!) ? {} : 'missing'));
  const ufw = present('ufw', 'nft');
  const one = makeMender({ dir: t.testdir({ a: {} }), host: ufw, look: sights(OFF, ON, ON, OFF) });
  t.match(await one.give('firewall_on', {}, 'ord_on'), { state: 'done', after: { technology: 'ufw' } });
  t.match(await one.give('undo', { order_id: 'ord_on' }), { state: 'done', after: { active: false } });
  const changes = ufw.calls.map(({ argv }) => argv.join(' ')).filter((line) => !/version/.test(line));
  t.strictSame(changes, ['ufw --force enable', 'ufw disable']);
  await one.stop();

  const bare = makeMender({ dir: t.testdir({ b: {} }), host: present(), look: sights(OFF) });
  t.match(await bare.give('firewall_on'), {
    state: 'refused',
    code: 'ACTION_NOT_POSSIBLE',
    detail: /Install nftables/,
  });
  await bare.stop();

  const blind = makeMender({
    dir: t.testdir({ c: {} }),
    host: present('nft'),
    look: sights({ facts: { probe_error: 'x' } }),
  });
  t.match(await blind.give('firewall_on'), { state: 'refused', code: 'STATE_UNKNOWN' });
  await blind.stop();
});

t.test('what a tool says it did is not believed: the check decides', async (t) => {
  const host = recordingHost('linux', ([tool]) => (tool === 'ufw' ? {} : 'missing'));
  const mender = makeMender({ dir: t.testdir(), host, look: sights(OFF) });
  t.match(await mender.give('firewall_on'), { state: 'failed', code: 'ACTION_NOT_VERIFIED', after: { active: false } });
  await mender.stop();
});
