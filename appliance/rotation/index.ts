import { logOrigin } from '@sitewarden/agent-proto/evidence';
import type { KeyTransition } from '@sitewarden/agent-proto/http';
import type { LifecyclePart } from '@sitewarden/kit/lifecycle';
import { withTransaction } from '@sitewarden/kit/sqlite';
import { applianceErrors } from '../errors.ts';
import type { Identity, RotatingKey } from '../identity/index.ts';
import type { ApplianceContext } from '../lib/context.ts';
import type { RelayClient } from '../lib/relay-client.ts';
import { RelayFailure } from '../lib/relay-failure.ts';
import { type ShownError, shownError } from '../lib/shown-error.ts';
import { changes, state } from '../store/index.ts';
import { announceKey } from './announce.ts';

export { settleEvidenceKey } from './settle.ts';

/** done: the new key is in force. waiting: it is made, and comes into force by itself once `error` is over. */
export interface RotationResult {
  readonly key: RotatingKey;
  readonly state: 'done' | 'waiting';
  /** Of the new key. */
  readonly fingerprint: string;
  readonly error: ShownError | null;
}

export interface Rotation extends LifecyclePart {
  /** Replaces a key. Rejects with KEYS_NOT_CLAIMED, EVIDENCE_HALTED, DISK_*. */
  rotate(key: RotatingKey): Promise<RotationResult>;
  /** The relay can be talked to: what waits for it goes on. */
  resume(): void;
  /** The log handed over to the next evidence key. */
  onKeyTurn(): void;
}

export interface RotationOptions {
  readonly ctx: ApplianceContext;
  readonly identity: Identity;
  readonly client: RelayClient;
  readonly evidence: { settle(): Promise<void>; snapshot(): { readonly isHalted: boolean; readonly waiting: number } };
  readonly serial: string;
  /** A key came into force: every part must begin anew with it. */
  onInForce(): void;
}

/**
 * Replaces keys of the box. Each step is on disk before the next begins, and each can be repeated: a box that dies between
 * two of them goes on where it was, with a key that both sides take.
 */
export function createRotation({ ctx, identity, client, evidence, serial, onInForce }: RotationOptions): Rotation {
  const { db, clock, log } = ctx;
  let running: Promise<unknown> = Promise.resolve();
  let isOn = false;
  let isOver = false;

  function site() {
    const claim = state.get(db, 'claim');
    if (claim?.phase !== 'claimed') throw applianceErrors.make('KEYS_NOT_CLAIMED');
    // Where it goes it is expected under the key it left with, and nothing follows the end of its log.
    if (state.get(db, 'release') !== undefined) {
      throw applianceErrors.make('KEYS_BUSY', { detail: 'The box is leaving its site' });
    }
    return claim.site;
  }

  /** One at a time, and none after a key came into force: this identity is out of date then. */
  function alone<T>(work: () => Promise<T>): Promise<T> {
    const turn = running.then(() => {
      if (isOver || !isOn) throw applianceErrors.make('KEYS_BUSY');
      return work();
    });
    running = turn.catch(() => {});
    return turn;
  }

  async function putInForce(key: RotatingKey): Promise<void> {
    await identity.next.putInForce(key);
    isOver = true;
    log.info({ key }, 'a new key is in force');
    onInForce();
  }

  async function rotateDik(): Promise<RotationResult> {
    const { applianceId } = site();
    const next = await identity.next.make('dik');
    const turn: KeyTransition = {
      key: 'dik',
      owner: applianceId,
      oldKey: identity.dik.publicKey,
      newKey: next.publicKey,
    };
    const newSignature = next.signTransition(turn);
    const { fingerprint } = next;
    try {
      await announceKey(client, { turn, oldSignature: identity.dik.signTransition(turn), newSignature });
    } catch (error) {
      if (!(error instanceof RelayFailure)) throw error;
      if (error.code === 'KEY_IN_USE') {
        // A key the relay will never take is no use; the next try makes another.
        await identity.next.drop('dik');
        throw applianceErrors.make('RELAY_REFUSED', { detail: error.message, cause: error });
      }
      log.warn({ code: error.code }, 'the next device key is not at the relay yet');
      return { key: 'dik', state: 'waiting', fingerprint, error: shown(error) };
    }
    const atMs = clock.nowMs();
    withTransaction(db, () => {
      // Said again after a crash the entry stands twice, which is true both times.
      const body = { oldKey: turn.oldKey, newKey: turn.newKey, newSignature };
      changes.append(db, { kind: 'dik_rotated', refId: fingerprint, body, atMs });
      state.set(db, 'kept_serial', { value: { serial }, atMs });
    });
    await putInForce('dik');
    return { key: 'dik', state: 'done', fingerprint, error: null };
  }

  async function rotateEvk(): Promise<RotationResult> {
    const { relayHost, applianceId, epoch } = site();
    if (evidence.snapshot().isHalted) throw applianceErrors.make('EVIDENCE_HALTED');
    const next = await identity.next.make('evk');
    const isSaid = state.get(db, 'evk_turn')?.phase === 'said' && evidence.snapshot().waiting > 0;
    if (!isSaid) {
      const owner = logOrigin(relayHost, applianceId, epoch);
      const turn: KeyTransition = { key: 'evk', owner, oldKey: identity.evk.publicKey, newKey: next.publicKey };
      const body = { oldKey: turn.oldKey, newKey: turn.newKey, newSignature: next.signTransition(turn) };
      const atMs = clock.nowMs();
      withTransaction(db, () => {
        changes.append(db, { kind: 'evk_rotated', refId: next.fingerprint, body, atMs });
        state.set(db, 'evk_turn', { value: { phase: 'said', newKey: next.publicKey }, atMs });
      });
      ctx.signals.emit('change');
    }
    await evidence.settle();
    const isEntered = state.get(db, 'evk_turn')?.phase === 'entered';
    return { key: 'evk', state: isEntered ? 'done' : 'waiting', fingerprint: next.fingerprint, error: null };
  }

  return {
    name: 'rotation',
    start() {
      isOn = true;
    },
    async stop() {
      isOn = false;
      await running;
    },
    rotate: (key) => alone(key === 'dik' ? rotateDik : rotateEvk),
    resume() {
      if (!isOn || isOver) return;
      void alone(async () => {
        if ((await identity.next.find('dik')) !== undefined) await rotateDik();
      }).catch((error: unknown) => log.warn({ err: error }, 'a change of the device key waits'));
    },
    onKeyTurn() {
      putInForce('evk').catch((error: unknown) => {
        // The start finishes it: the log says which key is in force.
        log.error({ err: error }, 'the next evidence key could not be put in force');
        onInForce();
      });
    },
  };
}

function shown(error: RelayFailure): ShownError {
  const { code, message } = shownError(error);
  return { code, message };
}
