import { existsSync, readFileSync } from 'node:fs';
import { bootId, systemClock } from '@sitewarden/kit/time';
import t from 'tap';

t.test('the system clock tells wall time, and monotonic time never goes back', async (t) => {
  const before = Date.now();
  const nowMs = systemClock.nowMs();
  t.ok(nowMs >= before && nowMs <= Date.now());
  let last = systemClock.monotonicMs();
  for (let i = 0; i < 1000; i++) {
    const next = systemClock.monotonicMs();
    if (next < last) t.fail('went back');
    last = next;
  }
});

t.test("the boot id is the kernel's and stays the same", async (t) => {
  t.match(bootId(), /^[0-9a-f-]{36}$/);
  t.equal(bootId(), bootId());
  const path = '/proc/sys/kernel/random/boot_id';
  if (existsSync(path)) t.equal(bootId(), readFileSync(path, 'utf8').trim());
});
