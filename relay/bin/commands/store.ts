import { isDamage } from '@sitewarden/kit/sqlite';
import { createLinkByEmail, createPartner, createSignInLink, disablePerson, listPeople } from '../../accounts/index.ts';
import { verifyAudit } from '../../audit/index.ts';
import type { RelayConfig } from '../../config/index.ts';
import { relayErrors } from '../../errors.ts';
import { isRole } from '../../lib/roles.ts';
import { damaged, migratePostgres, openStore, type Store, storeOptions } from '../../store/index.ts';
import { listTenants } from '../../store/repositories/directory.ts';
import { print } from '../print.ts';

async function withStore<T>(config: RelayConfig, work: (store: Store) => Promise<T>): Promise<T> {
  const options = await storeOptions(config);
  const store = await openStore(options);
  try {
    return await work(store);
  } catch (error) {
    throw options.kind === 'sqlite' && isDamage(error) ? damaged(options.file, error) : error;
  } finally {
    await store.close();
  }
}

export async function migrate(config: RelayConfig): Promise<void> {
  const options = await storeOptions(config);
  if (options.kind === 'sqlite') {
    await (await openStore(options)).close();
    print('The database is at the newest version.');
    return;
  }
  if (options.migrateConnectionString === undefined) {
    throw relayErrors.make('CONFIG_INVALID', {
      field: 'store.migrateConnectionStringFile',
      detail: 'Migrating needs the connection string of the owner of the tables',
    });
  }
  const applied = await migratePostgres(options.migrateConnectionString, Date.now());
  print(applied.length > 0 ? `Applied ${applied.join(', ')}.` : 'The database is at the newest version.');
}

export async function signInLink(
  config: RelayConfig,
  options: { email?: string; role: string; name: string; partner?: string; createPartner?: string; json?: boolean },
): Promise<void> {
  const { email, role, name, json } = options;
  if (!isRole(role)) throw relayErrors.make('CONFIG_INVALID', { field: 'role', detail: `${role} is not a role` });
  const { publicUrl } = config;
  if (publicUrl === undefined) {
    throw relayErrors.make('CONFIG_INVALID', {
      field: 'publicUrl',
      detail: 'A link needs the public URL of the relay',
    });
  }
  await withStore(config, async (store) => {
    const nowMs = Date.now();
    if (email !== undefined) {
      const { name: who, role: as, ...link } = await createLinkByEmail(store, { publicUrl, email, nowMs });
      print(json ? JSON.stringify(link) : `For ${who} (${as}), once, within 15 minutes: ${link.url}`);
      return;
    }
    const partnerId =
      options.createPartner === undefined
        ? options.partner
        : await createPartner(store, { name: options.createPartner, nowMs });
    const link = await createSignInLink(store, { publicUrl, role, name, partnerId, nowMs });
    print(json ? JSON.stringify(link) : `For ${name} (${role}), once, within 15 minutes: ${link.url}`);
  });
}

export async function people(config: RelayConfig): Promise<void> {
  for (const { id, partnerId, role, name, disabledAtMs } of await withStore(config, listPeople)) {
    print([id, partnerId, role, disabledAtMs === null ? 'active' : 'disabled', name].join('\t'));
  }
}

export async function disable(config: RelayConfig, staffId: string): Promise<void> {
  await withStore(config, async (store) => {
    const person = (await listPeople(store)).find(({ id }) => id === staffId);
    if (person === undefined) throw relayErrors.make('NOT_FOUND', { detail: `${staffId} is nobody here` });
    await disablePerson(store, { partnerId: person.partnerId, staffId, actor: 'relay console', nowMs: Date.now() });
    print(`${person.name} is signed out everywhere and cannot sign in again.`);
  });
}

/** Exit code 1 when a chain is broken. */
export async function auditVerify(config: RelayConfig): Promise<void> {
  await withStore(config, async (store) => {
    for (const partnerId of await store.system(listTenants)) {
      const { events, brokenAt } = await store.inTenant(partnerId, (trx) => verifyAudit(trx, partnerId));
      print(`${partnerId}\t${events} events\t${brokenAt === null ? 'the chain holds' : `broken at event ${brokenAt}`}`);
      if (brokenAt !== null) process.exitCode = 1;
    }
  });
}
