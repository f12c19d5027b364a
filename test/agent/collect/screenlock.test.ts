import fc from 'fast-check';
import t from 'tap';
import { DESKTOPS } from '../../../agent/collect/screenlock/desktops.ts';
import { screenlockFacts } from '../../../agent/collect/screenlock/linux.ts';
import { readLockSettings } from '../../../agent/collect/screenlock/read-settings.ts';
import { graphicalUid, sessionIds } from '../../../agent/collect/screenlock/sessions.ts';
import {
  parseGsettingsFlag,
  parseGsettingsNumber,
  readKscreenlocker,
} from '../../../agent/collect/screenlock/settings-text.ts';
import { skipWithout } from '../../helpers/needs.ts';
import { runOne } from './run-one.ts';

const desktop = (name: string) => DESKTOPS.find((one) => one.name === name)!;

t.test('values of gsettings are read in its own notation', async (t) => {
  t.equal(parseGsettingsFlag('true\n'), true);
  t.equal(parseGsettingsFlag('false\n'), false);
  t.equal(parseGsettingsFlag("'true'"), undefined);
  t.equal(parseGsettingsNumber('uint32 300\n'), 300);
  t.equal(parseGsettingsNumber('5\n'), 5);
  t.equal(parseGsettingsNumber("'never'"), undefined);
});

t.test('Plasma locks after five minutes and five seconds when nobody changed it', async (t) => {
  t.strictSame(readKscreenlocker([]), { lockEnabled: true, idleSeconds: 305 });
});

t.test("Plasma: the person's file stands over the system's, unless that one is fixed", async (t) => {
  const system = '[Daemon]\nTimeout=10\nLockGrace=0\n';
  const own = '[Daemon]\nAutolock=false\nTimeout=60\n[Greeter]\nTimeout=1\n';
  t.strictSame(readKscreenlocker([system, own]), { lockEnabled: false, idleSeconds: 3600 });
  t.strictSame(readKscreenlocker(['[Daemon][$i]\nAutolock=true\nTimeout=10\nLockGrace=0\n', own]), {
    lockEnabled: true,
    idleSeconds: 600,
  });
  t.strictSame(readKscreenlocker(['[Daemon]\nTimeout[$i]=10\nLockGrace=0\n', own]), {
    lockEnabled: false,
    idleSeconds: 600,
  });
  t.equal(readKscreenlocker(['[Daemon]\nTimeout=0\n']).idleSeconds, 0);
});

t.test('sessions of logind: graphical ones of people count, the log-in screen and terminals do not', async (t) => {
  t.strictSame(sessionIds('  2 1000 mary seat0 tty2 active no -\n c1  113 gdm seat0 tty1 active no -\n\n'), [
    '2',
    'c1',
  ]);
  t.equal(graphicalUid('Type=wayland\nClass=user\nUser=1000\n'), 1000);
  t.equal(graphicalUid('Type=wayland\nClass=greeter\nUser=113\n'), undefined);
  t.equal(graphicalUid('Type=tty\nClass=user\nUser=1000\n'), undefined);
});

t.test('the weakest of several sessions counts', async (t) => {
  const session = (name: string) => ({ uid: 1000, desktop: desktop(name) });
  t.match(
    screenlockFacts(
      [session('gnome'), session('kde')],
      [
        { lockEnabled: true, idleSeconds: 300 },
        { lockEnabled: true, idleSeconds: 1200 },
      ],
    ),
    { desktop: 'gnome,kde', lock_enabled: true, idle_seconds: 1200, graphical_sessions: 2 },
  );
  t.match(
    screenlockFacts(
      [session('gnome'), session('gnome')],
      [
        { lockEnabled: true, idleSeconds: 300 },
        { lockEnabled: true, idleSeconds: 0 },
      ],
    ),
    { idle_seconds: 0 },
  );
  t.match(screenlockFacts([{ uid: 1, desktop: undefined }], [{ problem: 'Look.' }]), {
    desktop: 'unknown',
    probe_error: 'Look.',
  });
});

t.test('no text makes a parser throw', async (t) => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      readKscreenlocker([`[Daemon]\n${text}`]);
      sessionIds(text);
      graphicalUid(text);
      parseGsettingsNumber(text);
    }),
  );
  t.pass();
});

t.test('settings are asked of the real gsettings with the rights of the person', async (t) => {
  if (skipWithout(t, { tools: ['gsettings', 'getent', 'setpriv'], root: true })) return;
  const sight = await readLockSettings({ uid: 65534, desktop: desktop('gnome') }, AbortSignal.timeout(20_000));
  if ('problem' in sight) t.match(sight.problem, /gsettings|dconf/);
  else t.ok(sight.idleSeconds >= 0);
});

t.test('a desktop whose settings the agent does not know is a problem, not a guess', async (t) => {
  for (const one of [desktop('xfce'), undefined]) {
    t.match(await readLockSettings({ uid: 0, desktop: one }, AbortSignal.timeout(1000)), { problem: /by hand/ });
  }
});

t.test("Plasma's file is read from the home of the account", async (t) => {
  if (skipWithout(t, { tools: ['getent'], root: true })) return;
  // Root's own home is the one home a test may look into; nothing is written there.
  const sight = await readLockSettings({ uid: 0, desktop: desktop('kde') }, AbortSignal.timeout(5000));
  t.match(sight, { lockEnabled: Boolean, idleSeconds: Number });
});

t.test('a machine without a desktop has nothing to lock', async (t) => {
  const [outcome] = await runOne('screenlock');
  if (outcome?.facts.graphical_sessions === 0) t.equal(outcome.status, 'not_applicable');
  else t.not(outcome?.status, 'not_applicable');
});
