import { execFile } from 'node:child_process';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { rawPublicKey } from '@sitewarden/agent-proto/keys';
import t, { type Test } from 'tap';
import { installCommand } from '../../../appliance/installers/index.ts';
import { runProgram } from '../../../scripts/lib/programs.ts';
import { writeManifest } from '../../../scripts/package-agent/manifest.ts';
import { startAppliance } from '../../helpers/appliance.ts';
import { skipWithout } from '../../helpers/needs.ts';

const run = promisify(execFile);
const NAME = 'sitewarden-agent-linux-x64';
/** A program that tells how it was called, for the line that fetches and starts it. */
const PROGRAM = '#!/bin/sh\necho "called with $*"\ncat\n';

function folder(t: Test): string {
  const dir = mkdtempSync(join(tmpdir(), 'sitewarden-installers-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

async function makeInstallers(t: Test, { isSigned = false } = {}) {
  const outDir = folder(t);
  const packed = [
    { target: 'linux-x64', file: NAME, text: PROGRAM },
    { target: 'win-x64', file: 'sitewarden-agent-win-x64.exe', text: 'MZ' },
  ].map(({ target, file, text }) => {
    writeFileSync(join(outDir, file), text);
    const sha256 = createHash('sha256').update(text).digest('hex');
    const parts = { node: 0, bundle: 0, addon: 0, other: 0 };
    return { target, file, node: '24.0.0', sha256, bytes: Buffer.byteLength(text), parts };
  });
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const signKey = join(outDir, 'release.pem');
  writeFileSync(signKey, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  await writeManifest({ outDir, version: '1.2.3', packed, signKey: isSigned ? signKey : undefined });
  return { dir: outDir, publicKey: rawPublicKey(publicKey), packed };
}

const get = async (url: string, init: RequestInit = {}) => {
  const answer = await fetch(url, init);
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
};

t.test('the box hands out installers by manifest: page, files, digests, signature', async (t) => {
  const { dir, publicKey, packed } = await makeInstallers(t, { isSigned: true });
  const box = await startAppliance({ dataDir: join(folder(t), 'box'), installers: { dir, publicKey } });
  t.teardown(() => box.stop());
  const page = await get(`${box.localUrl}/install/agent`, { headers: { accept: 'text/html' } });
  t.equal(page.status, 200);
  t.match(page.text, /Windows 10, 11 and Server, 64-bit.*Linux, x86-64.*Version 1\.2\.3/s);
  for (const { sha256 } of packed) t.match(page.text, sha256);
  t.match(page.text, /The publisher’s signature was checked/);
  t.match(page.text, /the page is open to the box alone/, 'a line with 127.0.0.1 would be of no use');

  const file = await get(`${box.localUrl}/install/${NAME}`);
  t.equal(file.text, PROGRAM);
  t.equal(file.headers.get('content-disposition'), `attachment; filename="${NAME}"`);
  const manifest = await get(`${box.localUrl}/install/manifest.json`);
  t.equal(manifest.text, readFileSync(join(dir, 'manifest.json'), 'utf8'));
  t.match((await get(`${box.localUrl}/install/manifest.json.sig`)).text, /^[A-Za-z0-9+/]{86}==\n$/);

  t.equal((await get(`${box.localUrl}/install/release.pem`)).status, 404, 'what no manifest names is not handed out');
  t.equal((await get(`${box.localUrl}/install/..%2Frelease.pem`)).status, 404);

  writeFileSync(join(dir, NAME), `${PROGRAM}rm -rf\n`);
  t.match(await get(`${box.localUrl}/install/${NAME}`), { status: 500, text: /INSTALLERS_UNUSABLE.*SHA-256/ });
  writeFileSync(join(dir, 'manifest.json'), readFileSync(join(dir, 'manifest.json'), 'utf8').replace('1.2.3', '1.2.4'));
  t.match(await get(`${box.localUrl}/install/manifest.json`), { status: 500, text: /not of installers\.publicKey/ });
  t.match((await get(`${box.localUrl}/install/agent`)).text, /not whole or not signed/);
});

t.test('without a folder the page says how to get installers', async (t) => {
  const box = await startAppliance({ dataDir: join(folder(t), 'box') });
  t.teardown(() => box.stop());
  t.match(await get(`${box.localUrl}/install/agent`), { status: 200, text: /npm run build:agent/ });
  t.match(await get(`${box.localUrl}/install/manifest.json`), { status: 404, text: /INSTALLERS_NONE/ });
  await t.rejects(
    runProgram('appliance', ['agents', 'token', '--config', box.configFile, '--command', 'linux-x64']),
    /LOCAL_PAGE_CLOSED/,
  );
});

t.test('a token is made on the page by the token of the box, over loopback alone', async (t) => {
  const { dir } = await makeInstallers(t);
  const dataDir = join(folder(t), 'box');
  const box = await startAppliance({ dataDir, localHost: '0.0.0.0', installers: { dir } });
  t.teardown(() => box.stop());
  const admin = readFileSync(join(dataDir, 'local-admin.token'), 'utf8').trim();
  const form = async () =>
    /name="form" value="([^"]+)"/.exec((await get(`${box.localUrl}/install/agent`)).text)?.[1] ?? '';
  const post = async (url: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
    get(`${url}/install/token`, { method: 'POST', body: new URLSearchParams(fields), headers });

  const made = await post(box.localUrl, { form: await form(), admin, as: 'code' });
  t.equal(made.status, 200);
  t.match(made.text, /<svg[^>]*viewBox/);
  t.match(made.text, /&quot;caFingerprint&quot;:&quot;sha256:[0-9a-f]{64}&quot;/);
  const file = await post(box.localUrl, { form: await form(), admin, as: 'file' });
  t.match(file.headers.get('content-disposition'), /token\.json/);
  t.match(JSON.parse(file.text), { token: String, applianceAddress: /:\d+$/, caFingerprint: /^sha256:/ });

  t.match(await post(box.localUrl, { form: await form(), admin: 'swl_wrong', as: 'code' }), { status: 401 });
  t.match(await post(box.localUrl, { form: 'x', admin, as: 'code' }), { status: 403 });
  const foreign = { origin: 'http://evil.example' };
  t.match(await post(box.localUrl, { form: await form(), admin, as: 'code' }, foreign), { status: 403 });

  const outer = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .find(({ internal, family }) => !internal && family === 'IPv4');
  if (outer === undefined) return;
  const url = `http://${outer.address}:${new URL(box.localUrl).port}`;
  const seen = await get(`${url}/install/agent`);
  t.match(seen.text, `curl -fsSO &#39;${url}/install/${NAME}&#39;`);
  t.match(made.text, `curl -fsSO &#39;${url}/install/${NAME}&#39;`, 'made on the box, for the workstation');
  t.notMatch(seen.text, /<form/, 'from the network nobody is asked for it');
  t.match(await post(url, { form: await form(), admin, as: 'code' }), { status: 403, text: /LOCAL_LOOPBACK_NEEDED/ });

  const line = await runProgram('appliance', ['agents', 'token', '--config', box.configFile, '--command', 'win-x64']);
  t.match(line, `Invoke-WebRequest -UseBasicParsing '${url}/install/sitewarden-agent-win-x64.exe'`);
  const code = await runProgram('appliance', ['agents', 'token', '--config', box.configFile, '--qr']);
  t.match(code, /^[█▀▄\s]+$/);
  await t.rejects(
    runProgram('appliance', ['agents', 'token', '--config', box.configFile, '--command', 'win-x86']),
    /TARGET_UNKNOWN/,
  );
});

t.test('the one line for a shell fetches, compares and installs, and stops at other bytes', async (t) => {
  if (skipWithout(t, { tools: ['curl', 'sha256sum', 'bash'] })) return;
  const { dir, packed } = await makeInstallers(t);
  const box = await startAppliance({ dataDir: join(folder(t), 'box'), installers: { dir } });
  t.teardown(() => box.stop());
  // The test has the rights already, and no terminal to be asked on.
  const tools = folder(t);
  writeFileSync(join(tools, 'sudo'), '#!/bin/sh\nexec "$@"\n');
  chmodSync(join(tools, 'sudo'), 0o755);
  const env = { ...process.env, PATH: `${tools}:${process.env.PATH}`, TMPDIR: tools };
  const installer = packed[0]!;
  const token = '{"token":"swt_1","applianceAddress":"10.0.0.1:50051"}';
  const line = installCommand({ installer, baseUrl: box.localUrl, token });
  t.match(await run('bash', ['-c', line], { env }), { stdout: `called with install --token-file -\n${token}` });
  const other = installCommand({ installer: { ...installer, sha256: '0'.repeat(64) }, baseUrl: box.localUrl, token });
  await t.rejects(run('bash', ['-c', other], { env }), /computed checksum did NOT match/);
  t.throws(() => installCommand({ installer, baseUrl: box.localUrl, token: `{"a":"'$(id)'"}` }), TypeError);
  t.throws(() => installCommand({ installer, baseUrl: 'http://a/$(id)', token }), TypeError);
});
