import type { KeyObject } from 'node:crypto';
import { decodeEnvelope, verifyEnvelope } from '@sitewarden/agent-proto/dsse';
import { RELAY_KEY_PURPOSES, type RelayKeyPurpose, type RelayKeys } from '@sitewarden/agent-proto/http';
import { publicKeyFromRaw, rawPublicKey } from '@sitewarden/agent-proto/keys';
import { acquireLock } from '@sitewarden/kit/files';
import { relayErrors } from '../errors.ts';
import {
  type KeySlots,
  keyPath,
  makeNextFiles,
  promoteNextFiles,
  readKeySlots,
  readRootKey,
  writePublished,
} from './files.ts';
import { publishedText, readPublished, workingKey } from './keyring.ts';

export const KEY_STEPS = ['next', 'switch', 'retire'] as const;
export type KeyStep = (typeof KEY_STEPS)[number];

/** single: one key each. prepared: boxes are told the next one. switched: the next one signs, the old one is still believed. */
export type KeyPhase = 'single' | 'prepared' | 'switched';

const STEP_AT: Record<KeyPhase, KeyStep> = { single: 'next', prepared: 'switch', switched: 'retire' };

/** Pure: where the keys stand, from what is published and which file holds the key in use. */
export function phaseOf(published: RelayKeys, inUse: Readonly<Record<RelayKeyPurpose, 'first' | 'next'>>): KeyPhase {
  const isPair = RELAY_KEY_PURPOSES.every((purpose) => published[purpose].length === 2);
  if (!isPair) return 'single';
  return RELAY_KEY_PURPOSES.every((purpose) => inUse[purpose] === 'next') ? 'switched' : 'prepared';
}

type Working = RelayKeys[RelayKeyPurpose][number];

/** Pure: what is published after a step. `next` only for that step. */
export function publishedAfter(
  step: KeyStep,
  {
    published,
    next,
    nowMs,
  }: { published: RelayKeys; next?: Readonly<Record<RelayKeyPurpose, Working>>; nowMs: number },
): RelayKeys {
  const listOf = (purpose: RelayKeyPurpose): Working[] => {
    const [first, second] = published[purpose] as [Working, Working | undefined];
    if (step === 'retire') return [first];
    if (step === 'next') return next === undefined ? [first] : [first, next[purpose]];
    return second === undefined ? [first] : [second, first];
  };
  const lists = Object.fromEntries(RELAY_KEY_PURPOSES.map((purpose) => [purpose, listOf(purpose)]));
  return {
    ...(lists as Pick<RelayKeys, RelayKeyPurpose>),
    host: published.host,
    generation: published.generation + 1,
    issuedAtMs: nowMs,
  };
}

interface StepOptions {
  readonly dataDir: string;
  readonly rootKeyFile?: string | undefined;
  readonly nowMs: number;
}

/** Beside the keys, and not the lock of the relay: that one may run meanwhile. */
const LOCK_FILE = 'steps.lock';

/**
 * One step of the change of all working keys. What is published is one file that is replaced at once: a crash before
 * leaves the step undone, a crash after leaves it done. The relay must be started anew. Throws KEYS_*, ROOT_KEY_NEEDED,
 * FILE_LOCKED while another step is taken.
 */
export async function stepKeys(step: KeyStep, options: StepOptions): Promise<{ generation: number; phase: KeyPhase }> {
  // Where no keys are it says so, and nothing is made there.
  await readKeySlots(options.dataDir);
  const lock = acquireLock(keyPath(options.dataDir, LOCK_FILE));
  try {
    return await takeStep(step, options);
  } finally {
    lock.release();
  }
}

async function takeStep(
  step: KeyStep,
  { dataDir, rootKeyFile, nowMs }: StepOptions,
): Promise<{ generation: number; phase: KeyPhase }> {
  const slots = await readKeySlots(dataDir);
  const published = readPublished(slots.publishedText);
  const phase = phaseOf(published, inUseOf(slots, published));
  if (STEP_AT[phase] !== step) {
    throw relayErrors.make('KEYS_STEP_WRONG', {
      detail: `The keys stand at \`${phase}\`: next comes ${STEP_AT[phase]}`,
    });
  }
  const root = await readRootKey(dataDir, rootKeyFile);
  assertIsRoot(root, slots.publishedText);
  const change = { published, nowMs };
  const next = step === 'next' ? await nextKeys(dataDir, slots, published) : undefined;
  const after = publishedAfter(step, next === undefined ? change : { ...change, next });
  await writePublished(dataDir, { text: publishedText(root, after), before: slots.publishedText, published });
  if (step === 'retire') await promoteNextFiles(dataDir);
  const now = await readKeySlots(dataDir);
  return { generation: after.generation, phase: phaseOf(after, inUseOf(now, after)) };
}

function inUseOf(slots: KeySlots, published: RelayKeys): Record<RelayKeyPurpose, 'first' | 'next'> {
  const entries = RELAY_KEY_PURPOSES.map((purpose) => {
    const { next } = slots.keys[purpose];
    const isNext = next !== undefined && workingKey(next).keyId === published[purpose][0]?.keyId;
    return [purpose, isNext ? 'next' : 'first'] as const;
  });
  return Object.fromEntries(entries) as Record<RelayKeyPurpose, 'first' | 'next'>;
}

/** Fresh ones; a retirement that was cut short is finished first, so that the key in use is not written over. */
async function nextKeys(
  dataDir: string,
  slots: KeySlots,
  published: RelayKeys,
): Promise<Record<RelayKeyPurpose, Working>> {
  if (Object.values(inUseOf(slots, published)).includes('next')) await promoteNextFiles(dataDir);
  const made = await makeNextFiles(dataDir);
  return Object.fromEntries(RELAY_KEY_PURPOSES.map((purpose) => [purpose, workingKey(made[purpose])])) as Record<
    RelayKeyPurpose,
    Working
  >;
}

/** Boxes believe one root: a list signed by another would lock all of them out. */
function assertIsRoot(root: KeyObject, text: string): void {
  try {
    verifyEnvelope(decodeEnvelope(Buffer.from(text, 'latin1')), publicKeyFromRaw(rawPublicKey(root)));
  } catch (cause) {
    throw relayErrors.make('ROOT_KEY_NEEDED', {
      detail: 'This key is not the root that signed the present list',
      cause,
    });
  }
}
