import { type ChildProcess, spawn } from 'node:child_process';
import { runTool } from '@sitewarden/kit/exec';
import type { Test } from 'tap';

export interface Host {
  readonly name: string;
  readonly address: string;
  /** Of its only interface, eth0. */
  readonly mac: string;
  /** Runs to the end inside the host's network; rejects on a failure unless `mayFail`. */
  run(argv: readonly [string, ...string[]], options?: { mayFail?: boolean }): Promise<string>;
  /** Ends with the test. */
  spawn(argv: readonly string[], env?: Record<string, string>): ChildProcess;
}

let made = 0;

/**
 * A LAN of its own: one network namespace for each host, 10.77.0.1/24 and up, on a bridge in yet another namespace.
 * Nothing of it touches the network of the machine; all of it goes with the test. Needs root and `ip`.
 */
export async function makeLan<const N extends string>(t: Test, names: readonly N[]): Promise<Record<N, Host>> {
  made += 1;
  const prefix = `swt${process.pid}-${made}`;
  const cable = `${prefix}-lan`;
  const namespaces = [cable, ...names.map((name) => `${prefix}-${name}`)];
  const children: ChildProcess[] = [];
  t.teardown(async () => {
    for (const child of children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    }
    for (const namespace of namespaces) await runTool(['ip', 'netns', 'delete', namespace]);
  });

  const ip = (...args: string[]) => must(['ip', ...args]);
  for (const namespace of namespaces) await ip('netns', 'add', namespace);
  await ip('-n', cable, 'link', 'add', 'br0', 'type', 'bridge');
  await ip('-n', cable, 'link', 'set', 'br0', 'up');

  const hosts: Partial<Record<N, Host>> = {};
  for (const [i, name] of names.entries()) {
    const namespace = `${prefix}-${name}`;
    const mac = `02:77:00:00:00:${(i + 1).toString(16).padStart(2, '0')}`;
    const port = `port${i}`;
    await ip('-n', cable, 'link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace);
    await ip('-n', cable, 'link', 'set', port, 'master', 'br0', 'up');
    await ip('-n', namespace, 'link', 'set', 'eth0', 'address', mac);
    await ip('-n', namespace, 'link', 'set', 'lo', 'up');
    await ip('-n', namespace, 'link', 'set', 'eth0', 'up');
    const address = `10.77.0.${i + 1}`;
    await ip('-n', namespace, 'addr', 'add', `${address}/24`, 'brd', '+', 'dev', 'eth0');
    // Multicast has no route otherwise, and there is no way out of this LAN.
    await ip('-n', namespace, 'route', 'add', 'default', 'dev', 'eth0');
    hosts[name] = {
      name,
      address,
      mac,
      run: (argv, { mayFail = false } = {}) => must(['ip', 'netns', 'exec', namespace, ...argv], mayFail),
      spawn(argv, env = {}) {
        const child = spawn('ip', ['netns', 'exec', namespace, ...argv], {
          stdio: ['ignore', 'pipe', 'pipe'],
          env: { ...process.env, ...env },
        });
        children.push(child);
        return child;
      },
    };
  }
  return hosts as Record<N, Host>;
}

async function must(argv: [string, ...string[]], mayFail = false): Promise<string> {
  const result = await runTool(argv);
  if (!result.ok && !mayFail) throw new Error(`${argv.join(' ')}: ${result.stderr}`);
  return result.stdout;
}
