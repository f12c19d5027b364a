import type { ProvisionDoctorRequest } from '@sitewarden/agent-proto/http';
import { createLogger } from '@sitewarden/kit/log';
import t from 'tap';
import { createDoctorTeller } from '../../../appliance/claim/tell-doctor.ts';

function teller() {
  const told: string[] = [];
  const at = { ms: 5_000_000, failing: false };
  const { wake, settled } = createDoctorTeller({
    calls: {
      async tellDoctor({ session, findings }: ProvisionDoctorRequest) {
        told.push(`${session} ${findings.map(({ name }) => name).join()}`);
        if (at.failing) throw new Error('the relay is away');
      },
    },
    clock: { monotonicMs: () => at.ms },
    log: createLogger({ name: 'test', level: 'silent' }),
    examine: async () => [{ name: 'link', state: 'ok', code: null, text: 'eth0 has a link.' }],
  });
  const wakeAt = async (session: string, ms: number) => {
    at.ms = ms;
    wake(session);
    await settled();
    return told.length;
  };
  return { told, at, wake, settled, wakeAt };
}

t.test('once for each session, and then each minute', async (t) => {
  const { told, wakeAt } = teller();
  t.equal(await wakeAt('one', 1000), 1);
  t.equal(await wakeAt('one', 60_999), 1, 'not yet');
  t.equal(await wakeAt('one', 61_000), 2);
  t.equal(await wakeAt('two', 61_001), 3, 'another session has been told nothing');
  t.strictSame(told, ['one link', 'one link', 'two link']);
});

t.test('one at a time, and a relay that is away is not asked more often', async (t) => {
  const { told, at, wake, settled, wakeAt } = teller();
  at.failing = true;
  wake('one');
  wake('one');
  wake('two');
  await settled();
  t.strictSame(told, ['one link']);
  t.equal(await wakeAt('one', at.ms + 59_999), 1);
  t.equal(await wakeAt('one', at.ms + 1), 2);
});
