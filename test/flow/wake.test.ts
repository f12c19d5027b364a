import t from 'tap';
import { waitFor } from '../../scripts/lib/wait.ts';
import { startSystem } from '../helpers/system.ts';

t.setTimeout(180_000);
const MINUTE_MS = 60_000;

const system = await startSystem({
  wake: true,
  checkinIntervalMs: MINUTE_MS,
  checkIntervalMs: 3_600_000,
});
t.teardown(() => system.close());
const { staff, siteId } = system;

interface Order {
  id: string;
  state: string;
}
const give = (checks: string[]) =>
  staff.call<Order>('POST', `/api/sites/${siteId}/orders`, { action: 'run_check', checks });
const orderOf = async (id: string) =>
  (await staff.call<{ orders: Order[] }>('GET', `/api/sites/${siteId}/orders`)).orders.find((one) => one.id === id);
interface Local {
  wake: { state: string; code: string | null };
  uplink: { lastCheckinAtMs: number };
}
const local = async () => (await (await fetch(`${system.appliance.localUrl}/api/local/status`)).json()) as Local;
const connected = () => waitFor('the wake-up', async () => (await local()).wake.state === 'connected', 30_000);

t.test('an order reaches the box within a second, and its end is back as soon', async (t) => {
  await connected();
  const before = (await local()).uplink.lastCheckinAtMs;
  const tries: { reachedMs: number; doneMs: number }[] = [];
  const isQuick = () => tries.some(({ reachedMs, doneMs }) => reachedMs < 1000 && doneMs < 2000);
  // The first one compiles what the others run, and other work on this machine may hold one up.
  while (tries.length < 5 && !isQuick()) {
    const beganMs = performance.now();
    const { id } = await give(['services']);
    await waitFor('the box has it', async () => (await orderOf(id))?.state !== 'queued', 10_000, 10);
    const reachedMs = performance.now() - beganMs;
    await waitFor('it is done', async () => (await orderOf(id))?.state === 'done', 20_000, 10);
    tries.push({ reachedMs, doneMs: performance.now() - beganMs });
  }
  t.ok(isQuick(), JSON.stringify(tries));
  t.equal((await local()).uplink.lastCheckinAtMs, before, 'no check-in was needed');
});

t.test('with the broker killed the next check-in delivers, and the connection comes back by itself', async (t) => {
  await connected();
  system.proxy.passUpgrades(false);
  await waitFor('the box notices', async () => (await local()).wake.state !== 'connected', 10_000);
  const { id } = await give(['services']);
  t.equal((await orderOf(id))?.state, 'queued');
  await waitFor('the check-in brings it', async () => (await orderOf(id))?.state === 'done', 80_000, 200);
  await system.relay.stop(0);
  await system.startRelay();
  system.proxy.passUpgrades(true);
  await system.appliance.stop();
  await system.startAppliance();
  await connected();
  await system.relay.stop(0);
  await waitFor('the connection is gone', async () => (await local()).wake.state !== 'connected', 10_000);
  await system.startRelay();
  await connected();
  const next = await give(['services']);
  await waitFor('it is woken again', async () => (await orderOf(next.id))?.state === 'done', 20_000, 50);
});
