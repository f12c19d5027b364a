import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { runProgram } from '../../scripts/lib/programs.ts';
import { waitFor } from '../../scripts/lib/wait.ts';
import { startSystem } from '../helpers/system.ts';
import { formsOf } from '../prove/lib/canaries.ts';

/** Looks like nothing else, so that finding it anywhere is a leak. */
const CANARY = `canary-${'9qK'.repeat(9)}-end`;

/** Plain, hex, base64 in each of its three shifts, and the like. */
const has = (bytes: Buffer, text: string): boolean => [...formsOf(text).values()].some((form) => bytes.includes(form));

/** Every byte of every file below a folder; also of databases with their logs. Files come and go while programs run. */
function filesWith(folder: string, text: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((path) => has(read(path), text));
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}

t.test('a secret staff enter reaches the box sealed, opens there alone, and its value lies nowhere', async (t) => {
  const lines: string[] = [];
  const system = await startSystem({
    logLevel: 'trace',
    onLine: (line) => lines.push(line),
  });
  t.teardown(system.close);
  const { staff, siteId } = system;
  const box = (...args: string[]) => runProgram('appliance', [...args, '--config', system.appliance.configFile]);
  t.match(await box('secrets', 'list'), /no secrets/);
  const answer = await staff.call('PUT', `/api/sites/${siteId}/secrets/ssh-root`, { value: CANARY });
  t.notMatch(JSON.stringify(answer), CANARY);
  const listed = await waitFor(
    'the box to have it',
    async () => {
      const said = await box('secrets', 'list');
      return said.includes('ssh-root') && said;
    },
    60_000,
  );
  t.match(listed, /^ssh-root {2}set 20\d\d-/);
  t.notMatch(listed, /another key/);
  t.match(await box('secrets', 'test', 'ssh-root'), `ssh-root opens: ${CANARY.length} bytes.`);
  t.match(
    await box('secrets', 'test', 'unknown').catch((error: Error) => error.message),
    /SECRET_UNKNOWN|no such secret/,
  );

  t.strictSame(filesWith(system.base, CANARY), [], 'no file of relay or box has it');
  t.ok(filesWith(system.base, 'ssh-root').length >= 2, 'the search reads what is there: the name is on both sides');
  t.notOk(has(Buffer.from(lines.join('\n')), CANARY), 'no log line has it');
  t.ok(lines.length > 0);

  await staff.call('DELETE', `/api/sites/${siteId}/secrets/ssh-root`);
  await waitFor('the box to forget it', async () => /no secrets/.test(await box('secrets', 'list')), 60_000);
});
