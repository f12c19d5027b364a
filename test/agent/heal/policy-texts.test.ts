import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runTool } from '@sitewarden/kit/exec';
import fc from 'fast-check';
import t from 'tap';
import { readKscreenlocker } from '../../../agent/collect/screenlock/settings-text.ts';
import {
  dconfKeyfile,
  dconfLocks,
  dconfProfile,
  kscreenlockerrc,
} from '../../../agent/heal/screenlock/policy-texts.ts';
import { skipWithout } from '../../helpers/needs.ts';

t.test('the settings of GNOME are read from the file by its own program', async (t) => {
  if (skipWithout(t, { tools: ['gsettings'] })) return;
  const home = t.testdir();
  // The keyfile backend of GLib reads the same form as dconf compiles.
  const folder = join(home, 'glib-2.0', 'settings');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'keyfile'), dconfKeyfile(420));
  const env = { HOME: home, XDG_CONFIG_HOME: home, GSETTINGS_BACKEND: 'keyfile' };
  const get = async (schema: string, key: string) => {
    const result = await runTool(['gsettings', 'get', schema, key], { env });
    return /No such schema/.test(result.stderr) ? 'no such schema' : result.stdout.trim();
  };
  const idle = await get('org.gnome.desktop.session', 'idle-delay');
  if (idle === 'no such schema') {
    t.pass('the settings of GNOME are not here', { skip: 'needs gsettings-desktop-schemas' });
    return;
  }
  t.equal(idle, 'uint32 420');
  t.equal(await get('org.gnome.desktop.screensaver', 'lock-enabled'), 'true');
  t.equal(await get('org.gnome.desktop.screensaver', 'lock-delay'), 'uint32 0');
});

t.test('what is set is locked, key by key', async (t) => {
  const keys: string[] = [];
  let folder = '';
  for (const line of dconfKeyfile(600).split('\n')) {
    if (line.startsWith('[')) folder = line.slice(1, -1);
    else if (line !== '') keys.push(`/${folder}/${line.split('=')[0]}`);
  }
  t.strictSame(dconfLocks().trim().split('\n'), keys);
});

t.test("Plasma's file keeps what is not about the lock, and the check reads the time from it", async (t) => {
  const anyLine = fc.constantFrom(
    '[Greeter]',
    '[Daemon]',
    '[Daemon][$i]',
    'Timeout=90',
    'Autolock=false',
    'Theme=x',
    '',
    '# c',
  );
  fc.assert(
    fc.property(fc.array(anyLine, { maxLength: 12 }), fc.integer({ min: 60, max: 900 }), (lines, idleSeconds) => {
      const text = kscreenlockerrc(lines.join('\n'), idleSeconds);
      t.equal(kscreenlockerrc(text, idleSeconds), text, 'written again it is the same');
      // What a person has set for himself no longer counts.
      const settings = readKscreenlocker([text, '[Daemon]\nAutolock=false\nTimeout=0\n']);
      return settings.lockEnabled && settings.idleSeconds > 0 && settings.idleSeconds <= idleSeconds;
    }),
  );
  t.match(kscreenlockerrc('[Greeter]\nTheme=x\n', 600), /^\[Greeter\]\nTheme=x\n/);
});

t.test('sources of settings that are there stay, in their order', async (t) => {
  t.equal(dconfProfile(undefined), 'user-db:user\nsystem-db:local\n');
  t.equal(dconfProfile('user-db:user\nsystem-db:site'), 'user-db:user\nsystem-db:site\nsystem-db:local\n');
  const own = 'user-db:user\n  system-db:local\n# ours\n';
  t.equal(dconfProfile(own), own);
});
