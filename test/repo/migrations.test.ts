import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ROOT } from './sources.ts';

/** `migrations.lock.json` holds the SHA-256 of every released migration. Append a line with a new one; never change one. */
const lock: Record<string, string> = JSON.parse(
  readFileSync(join(import.meta.dirname, 'migrations.lock.json'), 'utf8'),
);

const folders = ['agent/queue/migrations', 'appliance/store/migrations', 'relay/store/migrations'].filter((folder) =>
  existsSync(join(ROOT, folder)),
);
const files = folders.flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\d{4}-[a-z0-9-]+\.ts$/.test(name))
    .map((name) => `${folder}/${name}`),
);

t.test('every migration is locked and none was changed or removed', async (t) => {
  t.ok(files.length >= 2, `${files.length} migrations`);
  const now = Object.fromEntries(
    files.map((file) => [
      file,
      createHash('sha256')
        .update(readFileSync(join(ROOT, file)))
        .digest('hex'),
    ]),
  );
  t.strictSame(now, lock);
});

t.test('migrations of a folder are numbered without gaps from 0001', async (t) => {
  for (const folder of new Set(files.map((file) => file.slice(0, file.lastIndexOf('/'))))) {
    const numbers = files
      .filter((file) => file.startsWith(`${folder}/`))
      .map((file) => Number(file.slice(folder.length + 1, folder.length + 5)));
    t.strictSame(
      numbers.sort((a, b) => a - b),
      numbers.map((_, index) => index + 1),
      folder,
    );
  }
});
