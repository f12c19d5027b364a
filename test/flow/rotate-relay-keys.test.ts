import { join } from 'node:path';
import { BOX_PATHS } from '@sitewarden/agent-proto/http';
import Database from 'better-sqlite3';
import t from 'tap';
import { runProgram } from '../../scripts/lib/programs.ts';
import { waitFor } from '../../scripts/lib/wait.ts';
import { enroll, openSession } from '../helpers/agent-client.ts';
import { applianceAt } from '../helpers/relay-program.ts';
import { type System, startSystem } from '../helpers/system.ts';

const step = async (system: System, name: 'next' | 'switch' | 'retire') => {
  const said = await runProgram('relay', ['keys', name, '--config', join(system.base, 'relay.yaml')]);
  await system.relay.stop();
  await system.startRelay();
  return said;
};

/** The list the box has on disk. */
function generationInBox(system: System): number {
  const db = new Database(join(system.base, 'appliance', 'appliance.db'), { readonly: true });
  try {
    const { value } = db.prepare("SELECT value FROM state WHERE name = 'relay_keys'").get() as { value: string };
    return (JSON.parse(value) as { keys: { generation: number } }).keys.generation;
  } finally {
    db.close();
  }
}

const isBoxAt = (system: System, generation: number) =>
  waitFor(`list ${generation} in the box`, () => generationInBox(system) === generation, 60_000);

const checkedIn = (system: System, afterMs: number) =>
  waitFor(
    'a check-in',
    async () => ((await applianceAt(system.staff, system.siteId))?.lastCheckinAtMs ?? 0) > afterMs,
    60_000,
  );

/** An order signed by the key in use is taken, and the log is cosigned by it. */
async function obeys(system: System): Promise<string> {
  const orders = `/api/sites/${system.siteId}/orders`;
  const { id } = await system.staff.call<{ id: string }>('POST', orders, { action: 'run_check' });
  const taken = await waitFor(
    'the box to take the order',
    async () => {
      const list = await system.staff.call<{ orders: { id: string; state: string; code: string | null }[] }>(
        'GET',
        orders,
      );
      const order = list.orders.find((one) => one.id === id);
      return order !== undefined && !['queued', 'delivered'].includes(order.state) ? order : undefined;
    },
    60_000,
  );
  await waitFor(
    'the cosigned log',
    async () => {
      const { state } = await system.staff.call<{ state: { receivedSize: number; cosignedSize: number } }>(
        'GET',
        `/api/sites/${system.siteId}/evidence`,
      );
      return state.cosignedSize === state.receivedSize;
    },
    60_000,
  );
  return taken.state;
}

t.test(
  'the working keys of the relay change; boxes that knew the next one, and boxes that missed all, go on',
  async (t) => {
    const system = await startSystem();
    t.teardown(() => system.close());
    const session = await openSession(system.appliance.intakeAddress, await enroll(await system.appliance.makeToken()));
    session.stream.on('error', () => {});
    session.close();
    await checkedIn(system, 0);
    t.equal(await obeys(system), 'started');

    t.match(await step(system, 'next'), /Restart the relay/);
    await isBoxAt(system, 2);
    await system.appliance.stop();

    // Switched while the box is off; it cannot fetch the new list either: the key it was told of is all it has.
    await step(system, 'switch');
    let wasAsked = false;
    system.proxy.decide = (path) => {
      if (path !== BOX_PATHS.relayKeys) return 'pass';
      wasAsked = true;
      return 'refuse';
    };
    const sinceMs = Date.now();
    await system.startAppliance();
    await checkedIn(system, sinceMs);
    await waitFor('the box to ask for the list', () => wasAsked);
    t.equal(generationInBox(system), 2);
    system.proxy.decide = () => 'pass';
    await isBoxAt(system, 3);
    t.equal(await obeys(system), 'started');
    await system.appliance.stop();

    // Two whole changes while it is off: only the root key it was built with is still the same.
    for (const name of ['retire', 'next', 'switch', 'retire'] as const) await step(system, name);
    await system.startAppliance();
    await isBoxAt(system, 7);
    t.equal(await obeys(system), 'started');
  },
);
