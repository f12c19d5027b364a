import { readFile, rm, stat } from 'node:fs/promises';
import { AGENT_LIMITS } from '@sitewarden/agent-proto/agent';
import { agentErrors } from '../errors.ts';

export interface TokenFile {
  readonly token: string;
  readonly applianceAddress: string | undefined;
  readonly caFingerprint: string | undefined;
  /** Accounts other than the owner can read the file. */
  readonly isOpenToOthers: boolean;
}

const MAX_BYTES = 16 * 1024;
const KNOWN_KEYS = ['token', 'applianceAddress', 'caFingerprint'];

/** Reads the file the appliance made, or standard input for `-`. Throws TOKEN_FILE_UNREADABLE, TOKEN_FILE_INVALID. */
export async function readTokenFile(path: string): Promise<TokenFile> {
  if (path === '-') return { ...parseTokenFile(await readStdin()), isOpenToOthers: false };
  try {
    const { mode } = await stat(path);
    const isOpenToOthers = process.platform !== 'win32' && (mode & 0o077) !== 0;
    return { ...parseTokenFile(await readFile(path, 'utf8')), isOpenToOthers };
  } catch (cause) {
    if (agentErrors.is(cause)) throw cause;
    const code = (cause as NodeJS.ErrnoException).code;
    throw agentErrors.make('TOKEN_FILE_UNREADABLE', { detail: `${path}: ${code ?? 'cannot be read'}`, cause });
  }
}

/** Deletes the file; nothing for standard input. */
export async function removeTokenFile(path: string): Promise<void> {
  if (path !== '-') await rm(path, { force: true });
}

/** No message repeats what stands in the file. */
export function parseTokenFile(text: string): Omit<TokenFile, 'isOpenToOthers'> {
  if (text.length > MAX_BYTES) throw invalid('It is larger than 16 KiB', 'token');
  let value: Record<string, unknown>;
  try {
    // Shells of Windows put a byte order mark before what they pipe.
    value = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    throw invalid('It is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid('It is not a JSON object');
  const unknown = Object.keys(value).find((key) => !KNOWN_KEYS.includes(key));
  if (unknown !== undefined) throw invalid('It has a key that is not known', unknown.slice(0, 40));
  const token = value.token;
  if (typeof token !== 'string' || token === '' || token.length > AGENT_LIMITS.maxTokenChars) {
    throw invalid(`token must be text of 1 to ${AGENT_LIMITS.maxTokenChars} characters`, 'token');
  }
  return {
    token,
    applianceAddress: optionalText(value, 'applianceAddress', /^\S{1,255}:\d{1,5}$/, 'host:port'),
    caFingerprint: optionalText(value, 'caFingerprint', /^sha256:[0-9a-f]{64}$/, 'sha256:<64 hex digits>'),
  };
}

function optionalText(
  value: Record<string, unknown>,
  field: string,
  form: RegExp,
  formName: string,
): string | undefined {
  const text = value[field];
  if (text === undefined) return undefined;
  if (typeof text !== 'string' || !form.test(text)) throw invalid(`${field} must be ${formName}`, field);
  return text;
}

function invalid(detail: string, field?: string): Error {
  return agentErrors.make('TOKEN_FILE_INVALID', { detail, field });
}

async function readStdin(): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin) {
    chunks.push(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    if (bytes > MAX_BYTES) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}
