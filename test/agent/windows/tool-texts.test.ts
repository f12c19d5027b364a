import fc from 'fast-check';
import t from 'tap';
import { parseRegQuery, parseWmic } from '../../../agent/windows/index.ts';
import { recording } from '../helpers/recordings.ts';

const VOLUME = ['DeviceID', 'DriveLetter', 'ProtectionStatus', 'ConversionStatus', 'EncryptionMethod', 'VolumeType'];

t.test('objects of wmic are told apart where a name comes again', async (t) => {
  const rows = parseWmic(recording('tools/wmic-volumes.txt'), VOLUME);
  t.match(rows, [
    { DriveLetter: 'C:', ProtectionStatus: '1', ConversionStatus: '1', VolumeType: '0' },
    { DriveLetter: 'D:', ProtectionStatus: '0', ConversionStatus: '0', VolumeType: '1' },
  ]);
  t.equal(rows.length, 2);
  t.match(rows[0]?.DeviceID, /^\\\\\?\\Volume\{.*\}\\$/, 'a value keeps its own signs');
});

t.test('a German Windows answers wmic in the same words', async (t) => {
  const [row] = parseWmic(recording('tools/wmic-defender-de.txt'), ['AMServiceEnabled', 'AntivirusSignatureAge']);
  t.strictSame(row, { AMServiceEnabled: 'TRUE', AntivirusSignatureAge: '1' });
});

t.test('a table, as Wine prints it, is read by its columns; words that are no table are not', async (t) => {
  const table = 'Name          State    \r\nPlugPlay      Running  \r\nMSI Installer Stopped  \r\n';
  t.strictSame(parseWmic(table, ['Name', 'State']), [
    { Name: 'PlugPlay', State: 'Running' },
    { Name: 'MSI Installer', State: 'Stopped' },
  ]);
  t.strictSame(parseWmic('Aucune instance disponible.\r\n', ['Name']), []);
  t.strictSame(parseWmic('', ['Name']), []);
});

t.test('values of reg are read whatever the language of Windows', async (t) => {
  const [key] = parseRegQuery(recording('tools/reg-desktop-ja.txt'));
  t.match(key?.path, /^HKEY_USERS\\S-1-5-21-/);
  t.match(key?.values, {
    ScreenSaveActive: '1',
    ScreenSaverIsSecure: '1',
    ScreenSaveTimeOut: '600',
    'SCRNSAVE.EXE': 'C:\\Windows\\system32\\scrnsave.scr',
    Win8DpiScaling: 0,
    WallPaper: '',
  });
});

t.test('any text is read without a fault', async (t) => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      parseRegQuery(text);
      parseRegQuery(`HKEY_X\n${text}`);
      parseWmic(text, ['Name']);
    }),
  );
  t.pass();
});
