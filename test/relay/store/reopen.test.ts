import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openStore } from '../../../relay/store/index.ts';
import { seedTenant } from '../../helpers/seed-tenant.ts';

for (const isCut of [false, true]) {
  const name = isCut ? 'cut to nothing' : 'gone';
  t.test(`a database that is ${name} after a disk fault is not made anew, and serves when it is back`, async (t) => {
    const file = join(t.testdir({}), 'relay.db');
    const heard: unknown[] = [];
    const store = await openStore({ kind: 'sqlite', file }, (error) => heard.push((error as { code?: unknown }).code));
    t.teardown(() => store.close());
    await seedTenant(store);
    const tenants = () => store.system((trx) => trx.selectFrom('tenant_directory').selectAll().execute());
    /** What the store answers once it has tried to open the file again. */
    const settled = async (isOver: (answer: unknown) => boolean) => {
      const deadlineMs = Date.now() + 10_000;
      for (;;) {
        const answer = await tenants().catch((error: { code?: unknown }) => error.code);
        if (isOver(answer) || Date.now() > deadlineMs) return answer;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    const before = await tenants();
    t.ok(before.length > 0);
    const fault = Object.assign(new Error('disk I/O error'), { code: 'SQLITE_IOERR_READ' });
    const failing = store.system(() => Promise.reject(fault));
    await t.rejects(failing, { code: 'OVERLOADED' });
    renameSync(file, `${file}.kept`);
    if (isCut) writeFileSync(file, '');
    t.equal(await settled((answer) => answer !== 'OVERLOADED'), 'STORE_LOST');
    t.ok(heard.includes('STORE_LOST'), 'the log says so');
    t.equal(existsSync(file), isCut, 'nothing is made in its place');
    renameSync(`${file}.kept`, file);
    t.strictSame(await settled(Array.isArray), before);
  });
}
