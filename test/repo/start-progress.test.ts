import t from 'tap';
import type { StaffClient } from '../../scripts/lib/staff-client.ts';
import { watchSite } from '../../scripts/start/progress.ts';

t.test('a check-in of an earlier run is not taken for one of this run', async (t) => {
  const times = [null, 1000, 2000, 2001];
  let asked = 0;
  const call = async () => {
    const lastCheckinAtMs = times[asked] ?? null;
    asked += 1;
    return { appliance: { lastCheckinAtMs } };
  };
  const site = watchSite({ call } as unknown as StaffClient, 'site');
  t.equal(await site.checkedIn(2000), 2001);
  t.equal(asked, times.length);
});
