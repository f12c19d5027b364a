import { copyFileSync, existsSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { createLogVerifier } from '@sitewarden/agent-proto/evidence';
import { BOX_PATHS } from '@sitewarden/agent-proto/http';
import { fingerprint, privateKeyFromPem, rawPublicKey } from '@sitewarden/agent-proto/keys';
import { leafHash, verifyInclusion } from '@sitewarden/agent-proto/merkle';
import { verifierOf, verifyCheckpoint } from '@sitewarden/agent-proto/note';
import { keyInForce } from '@sitewarden/agent-proto/rotation';
import Database from 'better-sqlite3';
import t, { type Test } from 'tap';
import { runProgram } from '../../scripts/lib/programs.ts';
import { waitFor } from '../../scripts/lib/wait.ts';
import type { Verdict } from '../helpers/http-proxy.ts';
import { applianceAt } from '../helpers/relay-program.ts';
import { type System, startSystem } from '../helpers/system.ts';

async function world(t: Test) {
  const system = await startSystem();
  t.teardown(() => system.close());
  const dir = join(system.base, 'appliance', 'identity');
  const keyIn = (name: string) => rawPublicKey(privateKeyFromPem(readFileSync(join(dir, name), 'utf8')));
  const rotate = (key: 'dik' | 'evk') =>
    runProgram('appliance', ['keys', 'rotate', key, '--config', system.appliance.configFile]);
  await checkedInAfter(system, 0);
  return { system, dir, keyIn, rotate };
}

/** The box checked in later than that, and is in service. */
const checkedInAfter = (system: System, ms: number) =>
  waitFor(
    'a check-in',
    async () => {
      const box = await applianceAt(system.staff, system.siteId);
      return box?.state === 'active' && (box.lastCheckinAtMs ?? 0) > ms ? box.lastCheckinAtMs : undefined;
    },
    60_000,
  );

/** The device key the relay holds for the box, read from its database. */
function relayKey(system: System): string {
  const db = new Database(join(system.base, 'relay', 'relay.db'), { readonly: true });
  try {
    return (db.prepare('SELECT dik FROM appliance').get() as { dik: string }).dik;
  } finally {
    db.close();
  }
}

const restart = async (system: System) => {
  system.appliance.kill('SIGKILL');
  await system.appliance.exited;
  system.proxy.decide = () => 'pass';
  await system.startAppliance();
};

t.test('the device key of a running box is replaced, and the chain of check-ins goes on', async (t) => {
  const { system, dir, keyIn, rotate } = await world(t);
  const before = keyIn('dik.pem');
  t.match(await rotate('dik'), /The new dik is in force/);
  const after = keyIn('dik.pem');
  t.not(after, before);
  t.equal(existsSync(join(dir, 'dik.next.pem')), false);
  await waitFor('the relay to hold the new key', () => relayKey(system) === after);
  await checkedInAfter(system, Date.now());
  const again = await rotate('dik');
  t.match(again, /The new dik is in force/, 'and once more');
  t.ok(again.includes(fingerprint(keyIn('dik.pem'))));
  await checkedInAfter(system, Date.now());
});

const POINTS: { name: string; verdict: Verdict; at: string }[] = [
  { name: 'before the relay heard of the new key', verdict: 'hold', at: BOX_PATHS.keys },
  { name: 'after the relay took it, before the answer came', verdict: 'drop-answer', at: BOX_PATHS.keys },
  { name: 'after it took the key into use, before anything went out under it', verdict: 'hold', at: BOX_PATHS.checkin },
  {
    name: 'after the first request under the new key, before its answer',
    verdict: 'drop-answer',
    at: BOX_PATHS.checkin,
  },
];
for (const { name, verdict, at } of POINTS) {
  t.test(`the box is killed ${name}: it still gets in`, async (t) => {
    const { system, dir, keyIn, rotate } = await world(t);
    const before = keyIn('dik.pem');
    let isAnnounced = false;
    const reached = system.proxy.reached(verdict);
    system.proxy.decide = (path) => {
      if (path === BOX_PATHS.keys) isAnnounced = true;
      return isAnnounced && path === at ? verdict : isAnnounced && path !== BOX_PATHS.keys ? 'refuse' : 'pass';
    };
    const rotating = rotate('dik').catch((error: Error) => error.message);
    await reached;
    await restart(system);
    await rotating;
    const sinceMs = Date.now();
    const now = await waitFor('the new key at the relay', () => {
      const key = keyIn('dik.pem');
      return key !== before && relayKey(system) === key ? key : undefined;
    });
    t.equal(existsSync(join(dir, 'dik.next.pem')), false);
    t.ok(await checkedInAfter(system, sinceMs), 'active, no clone was seen');
    t.not(now, before);
  });
}

t.test('the relay is killed after it took the new key: box and relay find together again', async (t) => {
  const { system, keyIn, rotate } = await world(t);
  const before = keyIn('dik.pem');
  const reached = system.proxy.reached('drop-answer');
  system.proxy.decide = (path) => (path === BOX_PATHS.keys ? 'drop-answer' : 'pass');
  const rotating = rotate('dik').catch((error: Error) => error.message);
  await reached;
  system.relay.kill('SIGKILL');
  await system.relay.exited;
  system.proxy.decide = () => 'pass';
  await system.startRelay();
  await waitFor(
    'the new key at the relay',
    () => relayKey(system) !== before && relayKey(system) === keyIn('dik.pem'),
    60_000,
  );
  await rotating;
  t.ok(await checkedInAfter(system, Date.now()));
});

interface Proof {
  origin: string;
  envelope: string;
  treeSize: number;
  inclusionProof: string[];
  checkpoint: string;
  evidenceKey: string;
  checkpointKey: string;
  firstKey: string;
  transitions: { seq: number; envelope: string; inclusionProof: string[] }[];
}
interface Log {
  entries: { seq: number; kind: string }[];
  state: { receivedSize: number; cosignedSize: number };
}

t.test('the evidence key is replaced, also across a crash, and a stranger reads the log through', async (t) => {
  const { system, dir, keyIn, rotate } = await world(t);
  const first = keyIn('evk.pem');
  copyFileSync(join(dir, 'evk.pem'), join(dir, 'saved'));
  const log = () => system.staff.call<Log>('GET', `/api/sites/${system.siteId}/evidence?limit=200`);
  const cosignedThrough = (kind: string, nth: number) =>
    waitFor(
      `${kind} number ${nth} to be cosigned`,
      async () => {
        const { entries, state } = await log();
        const found = entries.filter((entry) => entry.kind === kind);
        return found.length >= nth && state.cosignedSize === state.receivedSize && state.cosignedSize > found[0]!.seq;
      },
      60_000,
    );

  t.match(await rotate('evk'), /The new evk is in force/);
  await cosignedThrough('evk_rotated', 1);
  const second = await waitFor('the new key', () => (keyIn('evk.pem') === first ? undefined : keyIn('evk.pem')));

  // The state a crash leaves between the entry and the key file.
  await system.appliance.stop();
  renameSync(join(dir, 'evk.pem'), join(dir, 'evk.next.pem'));
  renameSync(join(dir, 'saved'), join(dir, 'evk.pem'));
  await system.startAppliance();
  t.equal(keyIn('evk.pem'), second, 'the start finishes it');
  await checkedInAfter(system, Date.now());
  t.match(await rotate('dik'), /in force/);
  t.match(await rotate('evk').catch(() => waitFor('the box', () => rotate('evk'))), /in force/);
  await cosignedThrough('evk_rotated', 2);

  const { entries } = await log();
  const proofs = await Promise.all(
    entries
      .map(({ seq }) => seq)
      .sort((a, b) => a - b)
      .map((seq) => system.staff.call<Proof>('GET', `/api/sites/${system.siteId}/evidence/${seq}`)),
  );
  const { origin, firstKey } = proofs[0]!;
  t.equal(firstKey, first);
  const read = createLogVerifier({ origin, evk: firstKey });
  for (const [seq, proof] of proofs.entries()) {
    const bytes = Buffer.from(proof.envelope, 'latin1');
    t.match(read.next(bytes), { ok: true });
    const head = verifyCheckpoint(proof.checkpoint, [verifierOf({ name: origin, publicKey: proof.checkpointKey })]);
    const leaf = { leafHash: leafHash(bytes), index: seq, size: proof.treeSize, root: head.rootHash };
    const path = proof.inclusionProof.map((hash) => Buffer.from(hash, 'base64'));
    t.equal(verifyInclusion({ ...leaf, proof: path }), true, `entry ${seq}`);
  }
  for (const [seq, proof] of proofs.entries()) t.equal(proof.evidenceKey, keyInForce(read.keys, seq));
  t.strictSame(
    read.keys.turns.map(({ key }) => key),
    [second, keyIn('evk.pem')],
  );
  t.ok(entries.some(({ kind }) => kind === 'dik_rotated'));
});

t.test('a box that belongs to no site is told what to do', async (t) => {
  const { startAppliance } = await import('../helpers/appliance.ts');
  const box = await startAppliance({ dataDir: t.testdir() });
  t.teardown(() => box.stop());
  const rotating = runProgram('appliance', ['keys', 'rotate', 'dik', '--config', box.configFile]);
  await t.rejects(rotating, /ended with 1: .*KEYS_NOT_CLAIMED/s);
});
