import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { nodeCommand, programEnvironment } from '../../scripts/lib/programs.ts';

/** Runs a script of this repository to its end, as a program is started. */
export async function runScript(entry: string, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const [command, ...rest] = nodeCommand([entry, ...args]);
  const child = spawn(command, rest, { env: programEnvironment() });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const [code] = await once(child, 'close');
  return { code: code as number, out, err };
}
