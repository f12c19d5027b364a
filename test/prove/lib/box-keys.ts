import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the box is known by; its server certificate may well be renewed. */
export function keysOf(dataDir: string): string {
  const folder = join(dataDir, 'identity');
  const names = readdirSync(folder).filter((name) => /^(dik|evk|seal|site-ca)/.test(name));
  if (names.length < 4) throw new Error(`there are only ${names.join(', ')}`);
  return names.map((name) => `${name}\n${readFileSync(join(folder, name), 'utf8')}`).join('\n');
}
