import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { readFileIfExists, writeFileAtomic } from '@sitewarden/kit/files';
import { isSame } from './guard.ts';

export const ADMIN_TOKEN_FILE = 'local-admin.token';

/** Whoever can read the data folder may manage agents: the token is made once and kept there, mode 0600. */
export async function ensureAdminToken(dataDir: string): Promise<string> {
  const path = join(dataDir, ADMIN_TOKEN_FILE);
  const known = (await readFileIfExists(path))?.toString('utf8').trim();
  if (known !== undefined && /^swl_[A-Za-z0-9_-]{43}$/.test(known)) return known;
  const token = `swl_${randomBytes(32).toString('base64url')}`;
  await writeFileAtomic(path, `${token}\n`, { mode: 0o600 });
  return token;
}

export function isAdmin(authorization: string | undefined, token: string): boolean {
  const given = /^Bearer ([A-Za-z0-9_.~+/=-]{1,256})$/i.exec(authorization ?? '')?.[1];
  return given !== undefined && isSame(given, token);
}
