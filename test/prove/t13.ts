import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { BOX_PATHS } from '@sitewarden/agent-proto/http';
import { makeNonce, signRequest } from '@sitewarden/agent-proto/http-signature';
import Database from 'better-sqlite3';
import { newLocator, newTypedSecret } from '../../relay/claim/typed-code.ts';
import { readQr, type TestBox } from '../helpers/box.ts';
import { type Site, seedPartner, seedSite, startTestRelay, type TestRelay } from '../helpers/relay.ts';
import type { StaffClient } from '../helpers/staff-client.ts';
import { check, newTally, type Tally } from './lib/tally.ts';
import type { ProofResult } from './promises.ts';

/** Any number of sources: Linux answers for all of 127.0.0.0/8. */
const ADDRESSES = 250;
const TRIES = 5;
const GUESSING_BOXES = 20;
/** Requests on their way at once. */
const AT_ONCE = 100;

interface World extends Site {
  readonly relay: TestRelay;
  readonly admin: StaffClient;
  readonly guessers: readonly TestBox[];
  readonly agent: Agent;
}

interface Made {
  readonly url: string;
  readonly typed: string;
}

interface Guess {
  readonly locator: string;
  readonly secret: string;
}

interface Answered {
  readonly status: number;
  readonly code: string;
  readonly text: string;
}

/**
 * Guessing at the typed form, from many addresses and many keys at once, over HTTP, with every rate limit off: what is left
 * to guard the code is its own five tries. Honest boxes claim by QR code meanwhile.
 */
export async function run({ full }: { full: boolean; seed: number }): Promise<ProofResult> {
  const tally = newTally();
  const guesses = full ? 60_000 : 500;
  const perS = await inWorld((world) => prove(world, { guesses, tally }));
  const unguarded = await inWorld(async (world) => {
    giveTriesBack(world);
    return await storm(world, await makeCode(world), 40);
  });
  return {
    cases: tally.cases,
    failures: tally.faults.length,
    control: {
      expectedToFail: true,
      failed: unguarded > TRIES,
      detail: `with the tries given back ${unguarded} of 40 guesses were looked at`,
    },
    detail: tally.faults.slice(0, 5).join('; ') || `${guesses} guesses, ${perS} a second, ${ADDRESSES} addresses`,
  };
}

async function inWorld<T>(work: (world: World) => Promise<T>): Promise<T> {
  const cleanups: (() => Promise<void>)[] = [];
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  try {
    const relay = await startTestRelay((fn) => cleanups.push(fn));
    const site = await seedSite(relay.store, await seedPartner(relay.store));
    const guessers = await Promise.all(Array.from({ length: GUESSING_BOXES }, () => relay.box()));
    const admin = await relay.staff(site.partnerId, 'admin');
    return await work({ relay, ...site, admin, guessers, agent });
  } finally {
    agent.destroy();
    for (const cleanup of cleanups.reverse()) await cleanup();
  }
}

async function makeCode({ admin, siteId }: World): Promise<Made> {
  return (await admin.call<Made>('createCode', { body: { siteId } })).body;
}

async function prove(world: World, { guesses, tally }: { guesses: number; tally: Tally }): Promise<number> {
  const { relay } = world;
  const code = await makeCode(world);

  let isGuessing = true;
  const honest = claimByQr(world, () => isGuessing);
  const fromMs = performance.now();
  const lookedAt = await storm(world, code, guesses).finally(() => {
    isGuessing = false;
    // The relay must not be taken away from under it.
    return honest.catch(() => []);
  });
  const perS = Math.round(guesses / ((performance.now() - fromMs) / 1000));
  const claimed = await honest;
  tally.cases += guesses;
  check(tally, lookedAt <= TRIES, `${lookedAt} guesses at one code were looked at`);
  check(tally, claimed.length > 0, 'nobody claimed by QR code meanwhile');
  for (const status of claimed) check(tally, status === 200, `a box with a QR code was answered ${status} meanwhile`);

  const box = await relay.box();
  const typed = await box.presentTyped(code.typed);
  check(
    tally,
    (typed.body as { code?: string }).code === 'CODE_LOCKED',
    `the right typed form was answered ${typed.status}`,
  );
  const scanned = await box.presentQr(readQr(code.url).secret);
  check(tally, scanned.status === 200, `the QR form of the guessed code was answered ${scanned.status}`);

  await successGivesNothingBack(world, tally);
  await strangersLearnNothing(world, tally);
  return perS;
}

/** Wrong guesses at one code and at codes that do not exist, in turn. Answers how many at the code were looked at. */
async function storm(world: World, code: Made, guesses: number): Promise<number> {
  const [locator = ''] = code.typed.split('-');
  let lookedAt = 0;
  let next = 0;
  const worker = async () => {
    while (next < guesses) {
      const index = next++;
      const isAtCode = index % 2 === 0;
      const answer = await send(world, index, {
        locator: isAtCode ? locator : newLocator(),
        secret: newTypedSecret(),
      });
      if (answer.status === 200) throw new Error('a guess was right');
      if (isAtCode && answer.code === 'CODE_INVALID') lookedAt += 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return lookedAt;
}

/** Staff make a code and a box claims with it, again and again while the guessing goes on. Answers the statuses. */
async function claimByQr({ relay, admin, partnerId }: World, isGuessing: () => boolean): Promise<number[]> {
  const statuses: number[] = [];
  while (isGuessing()) {
    const { siteId } = await seedSite(relay.store, partnerId, `Site ${statuses.length}`);
    const made = await admin.call<Made>('createCode', { body: { siteId } });
    const box = await relay.box();
    statuses.push(made.status === 201 ? (await box.presentQr(readQr(made.body.url).secret)).status : made.status);
  }
  return statuses;
}

/** Who has a right code of one box cannot use it to get more guesses. */
async function successGivesNothingBack(world: World, tally: Tally): Promise<void> {
  const code = await makeCode(world);
  const [locator = ''] = code.typed.split('-');
  const box = await world.relay.box();
  let lookedAt = 0;
  for (let round = 0; round < 4; round += 1) {
    for (let index = 0; index < 3; index += 1) {
      const answer = await send(world, index, { locator, secret: newTypedSecret() });
      if (answer.code === 'CODE_INVALID') lookedAt += 1;
    }
    await box.presentTyped(code.typed);
  }
  check(tally, lookedAt <= TRIES, `with right ones between them ${lookedAt} wrong guesses were looked at`);
}

async function strangersLearnNothing(world: World, tally: Tally): Promise<void> {
  const code = await makeCode(world);
  const [locator = ''] = code.typed.split('-');
  const wrong = await send(world, 1, { locator, secret: newTypedSecret() });
  const unknown = await send(world, 2, { locator: otherThan(locator), secret: newTypedSecret() });
  check(tally, wrong.text === unknown.text, 'a wrong guess at a code and at none do not look alike');
}

/** The control: each try that is paid comes back. */
function giveTriesBack({ relay }: World): void {
  const db = new Database(join(relay.dataDir, 'relay.db'));
  db.exec(`CREATE TRIGGER give_back AFTER UPDATE OF tries_left ON provision_code
    BEGIN UPDATE provision_code SET tries_left = ${TRIES} WHERE id = new.id; END`);
  db.close();
}

function send(world: World, index: number, guess: Guess): Promise<Answered> {
  const { relay, guessers, agent } = world;
  const box = guessers[index % guessers.length] as TestBox;
  const url = new URL(BOX_PATHS.provisionClaim, relay.publicUrl);
  const code = { form: 'typed', ...guess };
  const body = JSON.stringify({ ...box.facts(), boxNonce: box.boxNonce, code });
  const signed = signRequest({
    method: 'POST',
    url: url.href,
    body,
    keyId: box.fingerprint,
    privateKey: box.dikPrivate,
    createdS: Math.floor(Date.now() / 1000),
    nonce: makeNonce(),
  });
  const headers = { ...signed, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const localAddress = `127.0.1.${1 + (index % ADDRESSES)}`;
  return new Promise((resolve, reject) => {
    const call = request(url, { method: 'POST', agent, localAddress, headers }, async (answer) => {
      const parts: Buffer[] = [];
      for await (const part of answer) parts.push(part as Buffer);
      const text = Buffer.concat(parts).toString();
      resolve({ status: answer.statusCode ?? 0, code: (JSON.parse(text) as { code?: string }).code ?? '', text });
    });
    call.on('error', (error: NodeJS.ErrnoException) => {
      // Closed by the relay in the moment it was taken for this request: nothing of it was heard.
      if (call.reusedSocket && error.code === 'ECONNRESET') resolve(send(world, index, guess));
      else reject(error);
    });
    call.end(body);
  });
}

function otherThan(locator: string): string {
  for (;;) {
    const other = newLocator();
    if (other !== locator) return other;
  }
}
