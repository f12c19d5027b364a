import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { runTool } from '@sitewarden/kit/exec';
import t from 'tap';
import { thisHost } from '../../../agent/heal/index.ts';
import { changeTools, createWindowsRound, rowInteger } from '../../../agent/windows/index.ts';
import { skipWithout } from '../../helpers/needs.ts';
import { startWine } from '../../helpers/wine.ts';
import { makeMender } from '../helpers/mender.ts';

t.setTimeout(180_000);

t.test('the inactivity limit of a Windows is set, proved from its registry, and put back by undo', async (t) => {
  if (skipWithout(t, { tools: ['wine'] })) return;
  const wine = startWine(t);
  const tools = { ...changeTools(), powershell: wine('powershell.exe'), wmic: wine('wmic'), reg: wine('reg') };
  // The first program sets this Windows up, which takes longer than the agent waits for one.
  const [program, ...first] = tools.reg;
  await runTool([program, ...first, 'query', 'HKLM\\SOFTWARE'], { timeoutMs: 120_000, input: '' });
  const readLimit = async () => {
    const round = createWindowsRound({ sections: ['screenlock'], tools });
    const answer = await round.ask('screenlock');
    round.close();
    const machine = answer.ok ? answer.rows.find(({ Kind }) => Kind === 'machine') : undefined;
    return machine === undefined ? undefined : rowInteger(machine, 'InactivityTimeoutSecs');
  };
  const dir = join(t.testdir(), 'data');
  mkdirSync(dir);
  const mender = makeMender({
    dir,
    host: { ...thisHost(), platform: 'win32', tools, run: runTool },
    look: async () => {
      const seconds = (await readLimit()) ?? 0;
      return {
        status: 'fail',
        reason: 'x',
        facts: { desktop: 'windows', lock_enabled: seconds > 0, idle_seconds: seconds },
      };
    },
  });
  const params = { idle_seconds: 600 };
  t.match(await mender.give('screenlock_policy', { ...params, dry_run: true }), {
    detail: /It would do: reg add HKLM/,
  });
  t.match(await mender.give('screenlock_policy', params, 'ord_a'), { state: 'done', after: { idle_seconds: 600 } });
  t.equal(await readLimit(), 600);
  t.match(await mender.give('screenlock_policy', params), { state: 'done', detail: /^Nothing to do/ });
  t.match(await mender.give('screenlock_policy', { idle_seconds: 300 }, 'ord_b'), { state: 'done' });
  t.match(
    await mender.give('undo', { order_id: 'ord_a' }),
    { state: 'refused', code: 'RULED_ELSEWHERE' },
    'not its own',
  );
  t.match(await mender.give('undo', { order_id: 'ord_b' }), { state: 'done', after: { idle_seconds: 600 } });
  t.match(await mender.give('undo', { order_id: 'ord_a' }), { state: 'done', after: { idle_seconds: 0 } });
  t.equal(await readLimit(), undefined);
  await mender.stop();
});
