import { runProgram } from './programs.ts';

/** Makes a relay's keys and answers with its public root key, which boxes are configured with. */
export async function initRelay(configFile: string): Promise<string> {
  return pick(await runProgram('relay', ['init', '--config', configFile]), /: ([A-Za-z0-9_-]{43})$/m, 'root key');
}

/** A one-time link for the admin of the relay's only partner. */
export async function makeSignInLink(configFile: string): Promise<string> {
  return pick(
    await runProgram('relay', ['sign-in-link', '--config', configFile]),
    /(https?:\/\/\S+#\S+)/,
    'sign-in link',
  );
}

function pick(text: string, pattern: RegExp, what: string): string {
  const found = pattern.exec(text)?.[1];
  if (!found) throw new Error(`the relay printed no ${what}: ${text.trim()}`);
  return found;
}
