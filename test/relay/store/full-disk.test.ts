import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runTool } from '@sitewarden/kit/exec';
import t, { type Test } from 'tap';
import { openStore } from '../../../relay/store/index.ts';
import { makeSignInLink } from '../../../scripts/lib/relay-setup.ts';
import { skipWithout } from '../../helpers/needs.ts';
import { startRelayProgram } from '../../helpers/relay-program.ts';
import { seedTenant } from '../../helpers/seed-tenant.ts';
import { StaffClient } from '../../helpers/staff-client.ts';

const SIZE_KIB = 4096;
const ANSWERS_WITHIN_MS = 10_000;

interface SmallDisk {
  readonly folder: string;
  fill(): void;
  free(): void;
}

/** A file system of its own that is soon full. */
async function smallDisk(t: Test): Promise<SmallDisk> {
  const folder = mkdtempSync(join(tmpdir(), 'sitewarden-relay-disk-'));
  const mounted = await runTool(['mount', '-t', 'tmpfs', '-o', `size=${SIZE_KIB}k`, 'tmpfs', folder]);
  t.equal(mounted.ok, true, mounted.stderr);
  t.teardown(async () => {
    await runTool(['umount', folder]);
    rmSync(folder, { recursive: true, force: true });
  });
  const ballast = join(folder, 'ballast');
  return {
    folder,
    fill() {
      t.throws(() => writeFileSync(ballast, Buffer.alloc(SIZE_KIB * 1024)), { code: 'ENOSPC' }, 'it is full');
    },
    free: () => rmSync(ballast),
  };
}

const WRITES = 60;

t.test('a commit that finds no room fails alone, and the next ones work once there is room', async (t) => {
  if (skipWithout(t, { root: true, tools: ['mount', 'umount'] })) return;
  const disk = await smallDisk(t);
  const store = await openStore({ kind: 'sqlite', file: join(disk.folder, 'relay.db') });
  t.teardown(() => store.close());
  const { partnerId, rows } = await seedTenant(store);
  const acked = [rows.client.id];
  const codes = new Set<unknown>();
  const write = (index: number) =>
    store.inTenant(partnerId, async (trx) => {
      const id = `cli_${index}`;
      const name = `${index} `.padEnd(50_000, 'x');
      await trx.insertInto('client').values({ id, partner_id: partnerId, name, created_at_ms: 1 }).execute();
      return id;
    });
  const read = () => store.inTenant(partnerId, (trx) => trx.selectFrom('client').select('id').execute());
  disk.fill();
  // Two at a time share a commit.
  for (let index = 0; index < WRITES; index += 2) {
    for (const one of await Promise.allSettled([write(index), write(index + 1)])) {
      if (one.status === 'fulfilled') acked.push(one.value);
      else codes.add(one.reason.code);
    }
  }
  t.strictSame([...codes], ['SQLITE_FULL']);
  t.ok(acked.length < WRITES / 2, 'most found no room');
  await read();
  disk.free();
  acked.push(await write(WRITES));
  t.strictSame((await read()).map(({ id }) => id).sort(), acked.sort(), 'what was acknowledged, and nothing else');
});

t.test('a database that finds no room to be opened anew is opened once there is', async (t) => {
  if (skipWithout(t, { root: true, tools: ['mount', 'umount'] })) return;
  const disk = await smallDisk(t);
  const heard: unknown[] = [];
  const onError = (error: Error & { code?: unknown }) => void heard.push(error.code);
  const store = await openStore({ kind: 'sqlite', file: join(disk.folder, 'relay.db') }, onError);
  t.teardown(() => store.close());
  const fault = Object.assign(new Error('disk I/O error'), { code: 'SQLITE_IOERR_FSYNC' });
  await t.rejects(
    store.system(() => Promise.reject(fault)),
    { code: 'OVERLOADED' },
  );
  // The WAL went as the file was closed.
  disk.fill();
  const answer = () => store.system(async () => 'open').catch(({ code }: { code: unknown }) => code);
  const until = async (isDone: (last: unknown) => boolean) => {
    const deadlineMs = Date.now() + ANSWERS_WITHIN_MS;
    for (let last = await answer(); ; last = await answer()) {
      if (isDone(last) || Date.now() > deadlineMs) return last;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  t.equal(await until(() => heard.includes('SQLITE_NO_ROOM')), 'OVERLOADED');
  disk.free();
  t.equal(await until((last) => last === 'open'), 'open');
});

t.test('a relay on a full disk says so and goes on by itself once there is room', async (t) => {
  if (skipWithout(t, { root: true, tools: ['mount', 'umount'] })) return;
  const disk = await smallDisk(t);
  const { relay, config } = await startRelayProgram({ dir: disk.folder, publicUrl: 'http://127.0.0.1:1' });
  t.teardown(() => relay.stop());
  const url = String(relay.ready.url);
  const admin = new StaffClient(url);
  t.match(await admin.signIn(await makeSignInLink(config)), { status: 200 });
  const health = () => fetch(`${url}/health`, { signal: AbortSignal.timeout(ANSWERS_WITHIN_MS) });
  let made = 0;
  const make = () => admin.call('createClient', { body: { name: `Clinic ${made++}`.padEnd(100, 'x') } });
  disk.fill();
  const refused = await untilRefused(make);
  t.match(refused, { status: 503, body: { code: 'OVERLOADED', message: /disk of the relay is full/ } });
  t.match(refused.headers.get('retry-after'), /^[0-9]+$/);
  t.equal((await health()).status, 200, 'what is there can be read');
  disk.free();
  t.equal((await make()).status, 201);
  t.equal((await health()).status, 200);
});

/** The WAL has some pages that were written before. */
async function untilRefused<T extends { status: number }>(make: () => Promise<T>): Promise<T> {
  for (let tries = 0; tries < 500; tries++) {
    const answer = await make();
    if (answer.status !== 201) return answer;
  }
  throw new Error('the disk was never full');
}
