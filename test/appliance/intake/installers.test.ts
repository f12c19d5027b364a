import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ServiceError, status } from '@grpc/grpc-js';
import type { FetchInstallerResponse } from '@sitewarden/agent-proto/agent';
import { PIECE_BYTES } from '@sitewarden/agent-proto/installers';
import t from 'tap';
import { call, errorCode, startIntake } from '../helpers/intake-fixture.ts';

const BYTES = Buffer.alloc(PIECE_BYTES + 1000, 'agent ');

t.test('agents read the installers of the box piece by piece, nobody else, and no other file', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'sitewarden-installers-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  writeFileSync(join(dir, 'agent-file'), BYTES);
  writeFileSync(join(dir, 'manifest.json.sig'), 'c2ln\n');
  const sha256 = createHash('sha256').update(BYTES).digest('hex');
  const files = [{ target: 'linux-x64', file: 'agent-file', bytes: BYTES.length, sha256 }];
  writeFileSync(join(dir, 'manifest.json'), JSON.stringify({ version: '1.0.0', files }));
  writeFileSync(join(dir, 'other-file'), 'not of the manifest');
  const intake = await startIntake(t, { installers: dir });
  const agent = intake.client(await intake.enroll());
  const fetchPiece = (name: string, offset: number, client = agent) =>
    call<FetchInstallerResponse>((done) => client.fetchInstaller({ name, offset }, done));
  const refusal = (name: string, offset = 0, client = agent) =>
    fetchPiece(name, offset, client).then(
      () => 'answered',
      (error: ServiceError) => `${status[error.code]} ${errorCode(error)}`,
    );

  const first = await fetchPiece('agent-file', 0);
  const second = await fetchPiece('agent-file', first.data.length);
  t.equal(first.data.length, PIECE_BYTES);
  t.ok(BYTES.equals(Buffer.concat([first.data, second.data])));
  t.strictSame(await fetchPiece('agent-file', BYTES.length), { data: Buffer.alloc(0), totalBytes: BYTES.length });
  t.match(JSON.parse((await fetchPiece('manifest.json', 0)).data.toString()), { version: '1.0.0' });
  t.equal((await fetchPiece('manifest.json.sig', 0)).data.toString(), 'c2ln');
  for (const name of ['other-file', '../agent-file', '/etc/passwd', '', 'manifest.json\0']) {
    t.equal(await refusal(name), 'NOT_FOUND INSTALLER_UNKNOWN', JSON.stringify(name));
  }
  t.equal(await refusal('agent-file', -1), 'INVALID_ARGUMENT MESSAGE_INVALID');
  t.equal(await refusal('agent-file', 0, intake.client()), 'UNAUTHENTICATED CLIENT_CERTIFICATE_NEEDED');
  writeFileSync(join(dir, 'agent-file'), Buffer.alloc(BYTES.length, 'other '));
  t.equal(await refusal('agent-file'), 'FAILED_PRECONDITION INSTALLERS_UNUSABLE');
});

t.test('an agent that asks too fast is told how long to wait', async (t) => {
  const intake = await startIntake(t);
  const agent = intake.client(await intake.enroll());
  const codes = new Set<string>();
  for (let count = 0; count < 200; count++) {
    const error = await call((done) => agent.fetchInstaller({ name: 'manifest.json', offset: 0 }, done)).catch(
      (e) => e,
    );
    codes.add(errorCode(error as ServiceError));
    if (codes.has('RATE_LIMITED')) break;
  }
  t.strictSame([...codes], ['INSTALLER_UNKNOWN', 'RATE_LIMITED']);
});
