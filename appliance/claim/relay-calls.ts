import {
  Acknowledged,
  BOX_PATHS,
  compile,
  confirmationNumber,
  nonceCommitment,
  ProvisionAnswer,
  type ProvisionDoctorRequest,
  ProvisionStartResponse,
  type RelayKeys,
} from '@sitewarden/agent-proto/http';
import { makeNonce } from '@sitewarden/agent-proto/http-signature';
import { applianceErrors } from '../errors.ts';
import { lazily } from '../lib/lazily.ts';
import type { RelayClient } from '../lib/relay-client.ts';
import { readRelayKeys, TrustError } from '../lib/trust.ts';
import type { ClaimSession } from '../store/state-types.ts';
import type { BoxFacts } from './box-facts.ts';
import type { CodeForm } from './parse-code.ts';

export interface Started {
  readonly session: ClaimSession;
  readonly pollAfterMs: number;
  readonly keys: RelayKeys;
  readonly keysEnvelope: string;
}

export interface ClaimCalls {
  start(): Promise<Started>;
  status(session: ClaimSession): Promise<ProvisionAnswer>;
  /** Presents a partner's code. */
  present(code: CodeForm, boxNonce: string): Promise<{ session: ClaimSession; answer: ProvisionAnswer }>;
  /** Rejects with RelayFailure; NOT_FOUND from a relay that does not want to know. */
  tellDoctor(input: ProvisionDoctorRequest): Promise<void>;
  acknowledge(input: { session: string; applianceId: string; configGeneration: number }): Promise<void>;
}

/** How long the relay lets a claim wait for its approval; after that it says so itself. */
const CODE_SESSION_MS = 24 * 3_600_000;

/** CLAIM/1 from the box's side: each call, and what its answer must hold. Reject with RelayFailure, GRANT_INVALID. */
export function createClaimCalls(
  client: RelayClient,
  { facts, rootKey, dikFingerprint }: { facts: BoxFacts; rootKey: string; dikFingerprint: string },
): ClaimCalls {
  const startValidator = lazily(() => compile(ProvisionStartResponse));
  const answerValidator = lazily(() => compile(ProvisionAnswer));
  const ackValidator = lazily(() => compile(Acknowledged));
  const post = (path: string, body: object) => ({ method: 'POST' as const, path, body: JSON.stringify(body) });

  /** The box computes the number itself: one it was merely told would prove nothing. */
  function assertOwn(answer: ProvisionAnswer, session: Pick<ClaimSession, 'boxNonce' | 'relayNonce'>): void {
    const number = confirmationNumber(facts.keys, session.boxNonce, answer.relayNonce);
    if (answer.relayNonce === session.relayNonce && answer.number === number) return;
    throw applianceErrors.make('GRANT_INVALID', { detail: 'The confirmation number is not the one of this box' });
  }

  function assertClaimUrl(claimUrl: string): void {
    const form = new RegExp(`^https?://[^/\\s#]+/claim#v1\\.[A-Za-z0-9_-]{22}\\.${dikFingerprint}$`);
    if (!form.test(claimUrl))
      throw applianceErrors.make('GRANT_INVALID', { detail: 'The claim URL is not of this box' });
  }

  function keysOf(envelope: string): RelayKeys {
    try {
      return readRelayKeys(envelope, rootKey);
    } catch (error) {
      if (!(error instanceof TrustError)) throw error;
      throw applianceErrors.make('RELAY_KEYS_INVALID', { detail: error.message, cause: error });
    }
  }

  return {
    async start() {
      const boxNonce = makeNonce();
      const body = { ...facts, commitment: nonceCommitment(boxNonce) };
      const answer = await client.sendJson(post(BOX_PATHS.provisionStart, body), startValidator());
      const keys = keysOf(answer.relayKeys);
      assertClaimUrl(answer.claimUrl);
      const { session, relayNonce, claimUrl, expiresAtMs, pollAfterMs } = answer;
      const number = confirmationNumber(facts.keys, boxNonce, relayNonce);
      return {
        session: { session, boxNonce, relayNonce, number, claimUrl, expiresAtMs },
        pollAfterMs,
        keys,
        keysEnvelope: answer.relayKeys,
      };
    },
    async status(session) {
      const { session: id, boxNonce } = session;
      const answer = await client.sendJson(
        post(BOX_PATHS.provisionStatus, { session: id, boxNonce }),
        answerValidator(),
      );
      assertOwn(answer, session);
      return answer;
    },
    async present(code, boxNonce) {
      const answer = await client.sendJson(
        post(BOX_PATHS.provisionClaim, { ...facts, boxNonce, code }),
        answerValidator(),
      );
      assertOwn(answer, { boxNonce, relayNonce: answer.relayNonce });
      const { session, relayNonce, number } = answer;
      const expiresAtMs = client.clock.nowMs() + CODE_SESSION_MS;
      return { session: { session, boxNonce, relayNonce, number, claimUrl: null, expiresAtMs }, answer };
    },
    async tellDoctor(input) {
      await client.sendJson(post(BOX_PATHS.provisionDoctor, input), ackValidator());
    },
    async acknowledge(input) {
      await client.sendJson(post(BOX_PATHS.provisionAck, input), ackValidator());
    },
  };
}
