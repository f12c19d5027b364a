import { rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createServer as createTlsServer,
  getCACertificates,
  setDefaultCACertificates,
  type TlsOptions,
} from 'node:tls';
import { runTool } from '@sitewarden/kit/exec';
import type { Running } from '../../scripts/lib/programs.ts';
import { makeSignInLink } from '../../scripts/lib/relay-setup.ts';
import { type StaffClient, signIn } from '../../scripts/lib/staff-client.ts';
import { waitFor } from '../../scripts/lib/wait.ts';
import { startAppliance, type TestAppliance } from '../helpers/appliance.ts';
import { readQr } from '../helpers/box.ts';
import { type Chain, makeChain } from '../helpers/certificates.ts';
import { startHttpProxy } from '../helpers/http-proxy.ts';
import { applianceAt, startRelayProgram } from '../helpers/relay-program.ts';
import { formsOf } from './lib/canaries.ts';
import { newTally, type Tally } from './lib/tally.ts';
import type { ProofResult } from './promises.ts';

const DAY_MS = 86_400_000;
/** TLS client authentication, for a certificate that is no server's. */
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
/** Each is tried while the box asks at least so often. */
const CONNECTIONS = 3;
const ANSWER = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}';

/** Who answers at the relay's address. */
interface Answerer {
  readonly port: number;
  /** What arrived, decrypted where there is something to decrypt. */
  received(): Buffer;
  /** Connections, and those of them that shook hands. */
  seen(): { connections: number; shaken: number };
  close(): Promise<void>;
}

interface World {
  readonly dir: string;
  /** The address of the relay: its name leads to whoever holds it at the moment, as after a spoofed answer of DNS or ARP. */
  readonly address: Address;
  readonly genuinePort: number;
  readonly genuine: Chain;
  readonly trusted: readonly string[];
  readonly rootKey: string;
  readonly staff: StaffClient;
}

/**
 * A real box that was never claimed, its relay's address held by somebody else from the first boot on, while a technician
 * types the code in. Nothing that is secret may arrive there; afterwards the same box must be claimed by the same code.
 */
export async function run({ full }: { full: boolean; seed: number }): Promise<ProofResult> {
  const tally = newTally();
  const systemCas = getCACertificates('default');
  const dir = await mkdtemp(join(tmpdir(), 'sitewarden-t16-'));
  const address = await holdAddress();
  const genuine = await makeChain({ aroundMs: Date.now() });
  const otherName = await makeChain({ aroundMs: Date.now(), name: 'relay.example', maker: 'Trusted 2' });
  const expired = await makeChain({ aroundMs: Date.now() - 400 * DAY_MS, maker: 'Trusted 3' });
  const noServer = await makeChain({ aroundMs: Date.now(), usage: CLIENT_AUTH, maker: 'Trusted 4' });
  const stranger = await makeChain({ aroundMs: Date.now(), maker: 'Nobody' });
  const trusted = [genuine, otherName, expired, noServer].map(({ ca }) => ca);
  setDefaultCACertificates([...systemCas, ...trusted]);
  const front = await startHttpProxy(0, genuine);
  let relay: Running | undefined;
  try {
    address.leadTo(front.port);
    const url = `https://127.0.0.1:${address.port}`;
    const limits = { claimsPerMinute: 10_000 };
    const made = await startRelayProgram({ dir, publicUrl: url, trustProxy: ['127.0.0.1'], limits });
    relay = made.relay;
    front.setTarget(Number(new URL(String(relay.ready.url)).port));
    const staff = await signIn(url, await makeSignInLink(made.config));
    const world: World = { dir, address, genuinePort: front.port, genuine, trusted, rootKey: made.rootKey, staff };

    const attacks: [string, () => Promise<Answerer>][] = [
      ['a certificate nobody trusts', () => answerTls(stranger)],
      ['the certificate of another name', () => answerTls(otherName)],
      ['a certificate that ran out', () => answerTls(expired)],
      ['a certificate that is no server’s', () => answerTls(noServer)],
      ['TLS 1.1', () => answerTls(genuine, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' })],
      ['plain HTTP', answerPlain],
    ];
    const rounds = full ? 5 : 1;
    for (let round = 0; round < rounds; round += 1) {
      await besiege(world, { attacks, index: round, tally });
    }
    const leaked = await believeAnyone(stranger);
    return {
      cases: tally.cases,
      failures: tally.faults.length,
      control: {
        expectedToFail: true,
        failed: leaked,
        detail: `a client that does not look at certificates ${leaked ? 'gives' : 'does not give'} its code away`,
      },
      detail:
        tally.faults.slice(0, 5).join('; ') || `${attacks.length * rounds} attacks, then claimed by the same code`,
    };
  } finally {
    await relay?.stop();
    await front.close();
    await address.close();
    setDefaultCACertificates(systemCas);
    rmSync(dir, { recursive: true, force: true });
  }
}

/** One new box, all attacks in turn, then its relay. */
async function besiege(
  world: World,
  { attacks, index, tally }: { attacks: [string, () => Promise<Answerer>][]; index: number; tally: Tally },
): Promise<void> {
  const { dir, address, staff, genuinePort, trusted, rootKey } = world;
  address.leadTo(genuinePort);
  const { siteId, url } = await makeCode(staff, index);
  const { secret } = readQr(url);
  const caFile = join(dir, 'trusted.pem');
  writeFileSync(caFile, trusted.join('\n'));
  let box: TestAppliance | undefined;
  try {
    for (const [what, answer] of attacks) {
      const attacker = await answer();
      try {
        address.leadTo(attacker.port);
        box ??= await startAppliance({
          dataDir: join(dir, `box-${index}`),
          relay: { url: `https://127.0.0.1:${address.port}`, rootKey, caFile },
          checkinIntervalMs: 1000,
          logLevel: 'warn',
        });
        const { localUrl } = box;
        await waitFor(
          `connections to the attacker with ${what}`,
          async () => {
            await typeCode(localUrl, url);
            return attacker.seen().connections >= CONNECTIONS;
          },
          60_000,
          200,
        );
        judge(what, { attacker, secret, tally });
        tally.cases += 1;
        if ((await phaseOf(localUrl)) === 'done') tally.faults.push(`${what}: the box was claimed`);
      } finally {
        await attacker.close();
      }
    }
    address.leadTo(genuinePort);
    const { localUrl } = box as TestAppliance;
    tally.cases += 1;
    await waitFor(
      'the claim, once the relay answers again',
      async () => {
        await typeCode(localUrl, url);
        return applianceAt(staff, siteId);
      },
      90_000,
      500,
    ).catch((error: Error) => tally.faults.push(error.message));
  } finally {
    await box?.stop();
  }
}

function judge(what: string, { attacker, secret, tally }: { attacker: Answerer; secret: string; tally: Tally }): void {
  const bytes = attacker.received();
  const { shaken } = attacker.seen();
  tally.cases += 2;
  for (const needle of formsOf(secret).values()) {
    if (bytes.includes(needle)) tally.faults.push(`${what}: the code arrived`);
  }
  const text = bytes.toString('latin1');
  if (/provision|"keys"|siteCaCsr/.test(text)) tally.faults.push(`${what}: a request of the claim arrived`);
  // Dates alone do not end the handshake, for the box may have the wrong ones: it asks for signed time and says nothing else.
  if (shaken > 0 && bytes.length > 0 && what !== 'a certificate that ran out') {
    tally.faults.push(`${what}: ${bytes.length} bytes arrived`);
  }
}

async function makeCode(staff: StaffClient, index: number): Promise<{ siteId: string; url: string }> {
  const { id: clientId } = await staff.call<{ id: string }>('POST', '/api/clients', { name: `Clinic ${index + 1}` });
  const wish = { clientId, name: 'Main street', agentTier: 0, requiredServices: [] };
  const { id: siteId } = await staff.call<{ id: string }>('POST', '/api/sites', wish);
  const code = { siteId, preApproved: true, ttlMinutes: 10 };
  const { url } = await staff.call<{ url: string }>('POST', '/api/provision/codes', code);
  return { siteId, url };
}

/** What the box makes of it shows elsewhere: it may well be busy with the code it was told before. */
async function typeCode(localUrl: string, code: string): Promise<void> {
  const answer = await fetch(new URL('/api/local/claim', localUrl), {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: new URL(localUrl).origin },
    body: JSON.stringify({ code }),
    signal: AbortSignal.timeout(30_000),
  });
  await answer.arrayBuffer();
}

async function phaseOf(localUrl: string): Promise<string> {
  const answer = await fetch(new URL('/api/local/status', localUrl));
  return ((await answer.json()) as { claim: { phase: string } }).claim.phase;
}

interface Address {
  readonly port: number;
  leadTo(port: number): void;
  close(): Promise<void>;
}

/** One address whose connections go where they are led; those that stand are cut when that changes. */
async function holdAddress(): Promise<Address> {
  let target = 0;
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
  };
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  const server = createServer((incoming) => {
    const outgoing = connect(target, '127.0.0.1');
    keep(incoming);
    keep(outgoing);
    incoming.pipe(outgoing).pipe(incoming);
  });
  const port = await listen(server);
  return {
    port,
    leadTo(value) {
      target = value;
      cut();
    },
    close: async () => {
      cut();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function answerTls({ key, cert }: Chain, how: TlsOptions = {}): Promise<Answerer> {
  const parts: Buffer[] = [];
  let shaken = 0;
  const server = createTlsServer({ key, cert, ...how }, (socket) => {
    shaken += 1;
    socket
      .on('error', () => {})
      .on('data', (bytes: Buffer) => {
        parts.push(bytes);
        socket.end(ANSWER);
      });
  });
  return answererOf(server, { received: () => Buffer.concat(parts), shaken: () => shaken });
}

/** Speaks HTTP where TLS is expected, and keeps what comes as it is. */
async function answerPlain(): Promise<Answerer> {
  const parts: Buffer[] = [];
  const server = createServer((socket) => {
    socket
      .on('error', () => {})
      .on('data', (bytes: Buffer) => {
        parts.push(bytes);
        socket.end(ANSWER);
      });
  });
  return answererOf(server, { received: () => Buffer.concat(parts), shaken: () => 0 });
}

async function answererOf(
  server: Server,
  { received, shaken }: { received: () => Buffer; shaken: () => number },
): Promise<Answerer> {
  let connections = 0;
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  return {
    port: await listen(server),
    received,
    seen: () => ({ connections, shaken: shaken() }),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** The control: the first attack on a client that believes every certificate. */
async function believeAnyone(stranger: Chain): Promise<boolean> {
  const attacker = await answerTls(stranger);
  const secret = 'AAAAAAAAAAAAAAAAAAAAAA';
  const text = `const https = require('node:https');
    const call = https.request('https://127.0.0.1:${attacker.port}/api/provision/claim', { method: 'POST', rejectUnauthorized: false });
    call.on('error', () => {}); call.end(JSON.stringify({ code: { form: 'qr', secret: process.argv[1] } }));
    setTimeout(() => process.exit(0), 500);`;
  try {
    await runTool([process.execPath, '-e', text, secret], {});
    return attacker.received().includes(secret);
  } finally {
    await attacker.close();
  }
}
