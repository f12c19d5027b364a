import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { findTool, skipWithout } from '../../helpers/needs.ts';
import { makeMender, recordingHost, sights } from '../helpers/mender.ts';
import { until } from '../helpers/wait.ts';

const CHILD = fileURLToPath(new URL('./children/give-orders.ts', import.meta.url));

t.test('killed in the middle of a change, the next process says so, does not repeat it, and can undo it', async (t) => {
  if (skipWithout(t, { tools: ['nft', 'unshare'], root: true })) return;
  if (findTool('firewall-cmd') !== undefined) {
    t.pass('firewalld is here', { skip: 'needs a machine without firewalld' });
    return;
  }
  const dir = t.testdir({ bin: {}, data: {} });
  const pidFile = join(dir, 'pid');
  // Stands where ufw stands, and takes its time.
  const ufw = `#!/bin/sh\n[ "$1" = version ] && exit 0\necho $$ > ${pidFile}.new && mv ${pidFile}.new ${pidFile}\nexec sleep 600\n`;
  writeFileSync(join(dir, 'bin', 'ufw'), ufw, { mode: 0o755 });
  const data = join(dir, 'data');
  const given = JSON.stringify({ dir: data, orders: [['firewall_on', {}, 'ord_cut']] });
  const { NODE_OPTIONS: _, ...env } = process.env;
  const child = spawn('unshare', ['-n', process.execPath, CHILD, given], {
    env: { ...env, PATH: `${join(dir, 'bin')}:${process.env.PATH}` },
    stdio: 'ignore',
  });
  const exited = once(child, 'exit');
  await until('the tool to run', () => existsSync(pidFile));
  child.kill('SIGKILL');
  t.strictSame(await exited, [null, 'SIGKILL']);
  process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGKILL');

  const host = recordingHost('linux');
  const on = { status: 'pass', facts: { technology: 'ufw', active: true, rule_count: 9 } } as const;
  const off = { facts: { technology: 'none', active: false, rule_count: 0 } };
  const mender = makeMender({ dir: data, host, look: sights(on, off) });
  t.strictSame(mender.queue.orders.interrupted(), [{ orderId: 'ord_cut', action: 'firewall_on' }]);
  mender.healer.recover();
  t.match(await mender.give('firewall_on', {}, 'ord_cut'), { state: 'failed', code: 'INDETERMINATE' });
  t.strictSame(host.calls, [], 'nobody knows how far it came, so it is not run again');
  t.match(await mender.give('undo', { order_id: 'ord_cut' }), { state: 'done', after: { active: false } });
  t.strictSame(
    host.calls.map(({ argv }) => argv),
    [['ufw', 'disable']],
  );
  await mender.stop();
});
