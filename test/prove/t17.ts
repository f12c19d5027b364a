import { execFileSync, spawnSync } from 'node:child_process';
import { createPublicKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram } from '../../scripts/lib/programs.ts';
import { waitFor } from '../../scripts/lib/wait.ts';
import { type AgentIdentity, enroll, openSession } from '../helpers/agent-client.ts';
import { startAppliance, type TestAppliance } from '../helpers/appliance.ts';
import { findTool } from '../helpers/needs.ts';
import { callOn, openCaller, RPCS, tryCall } from './lib/agent-calls.ts';
import {
  type Authority,
  authorityOf,
  impostorOf,
  type KeyAndCertificate,
  makeLeaf,
  siteAuthority,
  withAnotherKey,
} from './lib/certificates.ts';
import { startLaxServers } from './lib/lax-servers.ts';
import { isKept, isShaken, oldCiphers, shakeHands, type TlsTarget } from './lib/tls-probes.ts';
import type { ProofResult } from './promises.ts';

const REVOKED_WITHIN_MS = { quick: 5000, full: 60_000 };
/** Forward secret and authenticated: all that TLS 1.2 may offer. */
const GOOD_CIPHER = /^ECDHE-ECDSA-(AES(128|256)-GCM-SHA(256|384)|CHACHA20-POLY1305)$/;
const DAY_MS = 86_400_000;

interface Tally {
  cases: number;
  readonly faults: string[];
}

function check(tally: Tally, isKeptPromise: boolean, fault: string): void {
  tally.cases += 1;
  if (!isKeptPromise) tally.faults.push(fault);
}

/** TLS strict on the agents' port: the real appliance, and everyone who should not get in. */
export async function run({ full }: { full: boolean; seed: number }): Promise<ProofResult> {
  const base = mkdtempSync(join(tmpdir(), 'sitewarden-t17-'));
  const dataDir = join(base, 'data');
  const appliance = await startAppliance({ dataDir });
  const lax = await startLaxServers(dataDir);
  try {
    const world = await makeWorld(appliance, dataDir);
    const tally: Tally = { cases: 0, faults: [] };
    const control: Tally = { cases: 0, faults: [] };
    await proveHonestWorks(world, tally);
    for (let round = 0; round < (full ? 10 : 1); round += 1) {
      await proveStrangers({ ...world, address: appliance.intakeAddress }, tally);
      await provePlaintext(world, tally);
      await proveTls(world.target, tally);
    }
    await proveRevocation(world, appliance, {
      tally,
      withinMs: full ? REVOKED_WITHIN_MS.full : REVOKED_WITHIN_MS.quick,
    });
    if (full) proveByOthers(world.target, tally);
    await proveStrangers({ ...world, address: lax.grpcAddress }, control);
    await proveTls({ ...world.target, port: lax.tlsPort }, control);
    return {
      cases: tally.cases,
      failures: tally.faults.length,
      control: {
        expectedToFail: true,
        failed: control.faults.length > 0,
        detail: `a server that asks for no certificate, and one with old TLS, let in ${control.faults.length} of ${control.cases}`,
      },
      detail: tally.faults.slice(0, 8).join('; ') || 'nobody got in',
    };
  } finally {
    await lax.close();
    await appliance.stop();
    rmSync(base, { recursive: true, force: true });
  }
}

interface World {
  readonly address: string;
  readonly caPem: string;
  readonly honest: AgentIdentity;
  readonly strangers: Readonly<Record<string, KeyAndCertificate | undefined>>;
  readonly target: TlsTarget;
}

async function makeWorld(appliance: TestAppliance, dataDir: string): Promise<World> {
  const honest = await enroll(await appliance.makeToken());
  const authority = await siteAuthority(dataDir);
  const [host = '', port = ''] = appliance.intakeAddress.split(':');
  return {
    address: appliance.intakeAddress,
    caPem: honest.siteCaPem,
    honest,
    strangers: await makeStrangers(honest, authority),
    target: { host, port: Number(port), caPem: honest.siteCaPem, client: honest },
  };
}

/** Certificates that miss one thing each; where it can be, the serial number and the name are an honest agent's. */
async function makeStrangers(honest: AgentIdentity, by: Authority): Promise<World['strangers']> {
  const real = new X509Certificate(honest.certificatePem);
  const serial = real.serialNumber.toLowerCase();
  const subject = `CN=${honest.agentId}`;
  const impostor = await impostorOf(by);
  const mine = await makeLeaf({ by: impostor, subject, serial });
  const inner = await makeLeaf({ by, subject: 'CN=in between', isCa: true });
  const chained = await makeLeaf({ by: { ...by, ...(await authorityOf(inner)) }, subject, serial });
  return {
    'no certificate': undefined,
    'another authority of the same name': mine,
    'a certificate that has run out': await makeLeaf({
      by,
      subject,
      serial,
      notBefore: new Date(Date.now() - 2 * DAY_MS),
      notAfter: new Date(Date.now() - 1000),
    }),
    'a certificate that is not valid yet': await makeLeaf({
      by,
      subject,
      serial,
      notBefore: new Date(Date.now() + DAY_MS),
      notAfter: new Date(Date.now() + 2 * DAY_MS),
    }),
    "an honest certificate with the thief's key in it": {
      keyPem: mine.keyPem,
      certificatePem: withAnotherKey(
        { raw: real.raw, point: pointOf(honest.certificatePem) },
        pointOf(mine.certificatePem),
      ),
    },
    'a certificate for servers': await makeLeaf({ by, subject, serial, usage: '1.3.6.1.5.5.7.3.1' }),
    'a certificate nobody has on file': await makeLeaf({ by, subject }),
    'the serial number of another agent': await makeLeaf({ by, subject: 'CN=agt_somebody', serial }),
    'an authority in between': {
      keyPem: chained.keyPem,
      certificatePem: chained.certificatePem + inner.certificatePem,
    },
    'the authority itself': { keyPem: by.keyPem, certificatePem: by.certificatePem },
  };
}

/** The 65 bytes of an uncompressed P-256 point. */
function pointOf(certificatePem: string): Buffer {
  const { publicKey } = new X509Certificate(certificatePem);
  const der = createPublicKey(publicKey.export({ format: 'pem', type: 'spki' })).export({
    format: 'der',
    type: 'spki',
  });
  return der.subarray(-65);
}

/** Without this the proof would hold for a port nobody can use. */
async function proveHonestWorks({ address, caPem, honest }: World, tally: Tally): Promise<void> {
  for (const rpc of RPCS) {
    const outcome = await tryCall(rpc, { address, caPem, client: honest });
    check(tally, outcome.kind === 'accepted', `${rpc} of an honest agent: ${JSON.stringify(outcome)}`);
  }
}

async function proveStrangers({ address, caPem, strangers }: World, tally: Tally): Promise<void> {
  for (const [who, client] of Object.entries(strangers)) {
    for (const rpc of RPCS) {
      const outcome = await tryCall(rpc, { address, caPem, ...(client === undefined ? {} : { client }) });
      const isRefused = outcome.kind === 'refused' && outcome.code.startsWith('CLIENT_CERTIFICATE_');
      check(tally, isRefused, `${rpc} with ${who}: ${JSON.stringify(outcome)}`);
    }
  }
}

async function provePlaintext({ address, caPem }: World, tally: Tally): Promise<void> {
  for (const rpc of RPCS) {
    const outcome = await tryCall(rpc, { address, caPem, isPlaintext: true });
    check(tally, outcome.kind === 'refused', `${rpc} without TLS: ${outcome.kind}`);
  }
}

async function proveTls(target: TlsTarget, tally: Tally): Promise<void> {
  for (const version of ['TLSv1', 'TLSv1.1'] as const) {
    const isOpen = await isShaken(target, { minVersion: version, maxVersion: version });
    check(tally, !isOpen, `${version} is spoken`);
  }
  for (const name of oldCiphers()) {
    const isOpen = await isShaken(target, { maxVersion: 'TLSv1.2', ciphers: name });
    check(tally, !isOpen || GOOD_CIPHER.test(name), `${name} is taken`);
  }
  for (const alpn of [['http/1.1'], []]) {
    check(tally, !(await isKept(target, { alpn })), `a connection that speaks ${alpn[0] ?? 'nothing'} is kept`);
  }
}

/** Removed while its session is open: the session ends, and nothing of the agent gets in again. */
async function proveRevocation(
  { address, caPem, honest, target }: World,
  appliance: TestAppliance,
  { tally, withinMs }: { tally: Tally; withinMs: number },
): Promise<void> {
  const session = await openSession(address, honest);
  const ended = new Promise<void>((resolve) => {
    session.stream.on('error', () => resolve());
    session.stream.on('end', () => resolve());
  });
  const kept = openCaller({ address, caPem, client: honest });
  await callOn(kept, 'pushReport');
  const before = await shakeHands(target, {});
  const ticket = await ticketOf(before?.socket);
  try {
    await runProgram('appliance', ['agents', 'remove', honest.agentId, '--config', appliance.configFile]);
    const removedAtMs = performance.now();
    const isEnded = await waitFor(
      'the session to end',
      () => Promise.race([ended.then(() => true), later()]),
      withinMs,
    ).catch(() => false);
    const tookMs = Math.round(performance.now() - removedAtMs);
    check(tally, isEnded, `the session of a removed agent lived for more than ${tookMs} ms`);
    for (const rpc of RPCS) {
      const onKept = await callOn(kept, rpc);
      check(tally, onKept.kind === 'refused', `${rpc} of a removed agent on its old connection: ${onKept.kind}`);
      const outcome = await tryCall(rpc, { address, caPem, client: honest });
      check(tally, outcome.kind === 'refused', `${rpc} of a removed agent: ${outcome.kind}`);
    }
    const resumed = await shakeHands(target, ticket === undefined ? {} : { session: ticket });
    check(tally, resumed?.socket.isSessionReused() !== true, 'a removed agent resumed its TLS session');
    resumed?.socket.destroy();
  } finally {
    before?.socket.destroy();
    kept.close();
    session.close();
  }
}

const later = (): Promise<false> => new Promise((resolve) => setTimeout(() => resolve(false), 20));

/** What the server gave to resume with, if anything. */
async function ticketOf(socket: import('node:tls').TLSSocket | undefined): Promise<Buffer | undefined> {
  if (socket === undefined) return undefined;
  return await new Promise((resolve) => {
    socket.once('session', resolve);
    setTimeout(() => resolve(socket.getSession()), 500);
  });
}

/** The word of tools that are not ours. */
function proveByOthers({ host, port }: TlsTarget, tally: Tally): void {
  const nmap = findTool('nmap');
  const testssl = findTool('testssl.sh') ?? findTool('testssl');
  if (nmap === undefined || testssl === undefined) throw new Error('--full needs nmap and testssl.sh');
  const found = execFileSync(nmap, ['-Pn', '-n', '--script', 'ssl-enum-ciphers', '-p', String(port), host], {
    encoding: 'utf8',
  });
  check(tally, /TLSv1\.2/.test(found), `nmap found no TLS 1.2: ${found}`);
  check(tally, !/TLSv1\.[01]:|SSLv|least strength: [B-F]/.test(found), `nmap: ${found}`);
  // Its exit code counts what it would mention, good and bad.
  const args = ['--quiet', '--color', '0', '--warnings', 'off', '-p', '-E', '-U', `${host}:${port}`];
  const { stdout: report } = spawnSync(testssl, args, { encoding: 'utf8', maxBuffer: 2 ** 24, timeout: 600_000 });
  check(tally, /TLS 1\.1\s+not offered/.test(report) && / Done /.test(report), `testssl did not finish: ${report}`);
  const bad = report
    .split('\n')
    .filter((line) => /\bVULNERABLE\b(?! \(not)|NOT ok/.test(line) && !/not vulnerable/i.test(line));
  check(tally, bad.length === 0, `testssl: ${bad.slice(0, 5).join(' | ')}`);
}
