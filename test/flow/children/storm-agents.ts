// Many agents in one process, each with its own key, channel and backoff, as agent/push keeps them.
import { setTimeout as delay } from 'node:timers/promises';
import { type ServiceError, status } from '@grpc/grpc-js';
import type { SessionResponse } from '@sitewarden/agent-proto/agent';
import { nextDelayMs } from '@sitewarden/kit/backoff';
import { openClient } from '../../../agent/identity/channel.ts';
import { PUSH_RETRY } from '../../../agent/push/push-loop.ts';
import { retryFloorMs } from '../../../agent/push/session-end.ts';
import { serveParent } from '../../bench/lib/child.ts';
import { type AgentIdentity, sixResults } from '../../helpers/agent-client.ts';

/**
 * `agent`: full jitter, and what is not acknowledged is sent again. The controls: `hammering` comes back at once, without
 * end; `forgetful` takes for stored what it has sent.
 */
export type Manner = 'agent' | 'hammering' | 'forgetful';

export type StormQuestion =
  | {
      readonly ask: 'begin';
      readonly address: string;
      readonly agents: readonly AgentIdentity[];
      readonly manner: Manner;
    }
  /** Every agent makes that many more reports; answers when all are acknowledged, or at the deadline. */
  | { readonly ask: 'report'; readonly count: number; readonly deadlineMs: number }
  | { readonly ask: 'end' };

export interface StormAnswer {
  /** Of the agents that have every report acknowledged. */
  readonly done: number;
  readonly tookMs: number;
  /** Connections begun since the last question. */
  readonly attempts: number;
  /** How sessions ended since the last question, by gRPC status and error code. */
  readonly ends: Record<string, number>;
  /** By agent. */
  readonly acked: Record<string, number>;
}

interface OneAgent {
  readonly identity: AgentIdentity;
  acked: number;
  /** Reports made so far: what is not acknowledged is sent again. */
  made: number;
  sent: number;
  push: (() => void) | undefined;
}

let all: OneAgent[] = [];
let attempts = 0;
let ends: Record<string, number> = {};
let isEnding = false;
const cancels = new Set<() => void>();

type Way = Pick<Extract<StormQuestion, { ask: 'begin' }>, 'address' | 'manner'>;

/** One session; answers the retry delay the box asked for, and whether anything came of it. */
function oneSession(agent: OneAgent, { address, manner }: Way): Promise<{ floorMs: number; isGood: boolean }> {
  const { identity } = agent;
  const client = openClient(address, { trustedCaPems: [identity.siteCaPem], client: identity });
  const call = client.session();
  attempts += 1;
  let sent = 0;
  let isGood = false;
  const cancel = () => call.cancel();
  cancels.add(cancel);
  agent.push = () => {
    while (isGood && sent < agent.made) {
      sent += 1;
      agent.sent = Math.max(agent.sent, sent);
      call.write({ message: { $case: 'report', value: sixResults(sent) } });
    }
  };
  return new Promise((resolve) => {
    let isOver = false;
    const over = (how: string, floorMs: number) => {
      if (isOver) return;
      isOver = true;
      agent.push = undefined;
      cancels.delete(cancel);
      ends[how] = (ends[how] ?? 0) + 1;
      client.close();
      resolve({ floorMs, isGood });
    };
    call.on('data', ({ message }: SessionResponse) => {
      if (message?.$case === 'welcome') {
        isGood = true;
        agent.acked = Math.max(agent.acked, message.value.ackedThrough);
        sent = manner === 'forgetful' ? agent.sent : message.value.ackedThrough;
        agent.push?.();
      } else if (message?.$case === 'ack') agent.acked = Math.max(agent.acked, message.value.throughSeq);
    });
    // An error comes with an end of its own.
    call.on('end', () => setImmediate(() => over('OK', 0)));
    call.on('error', ({ code, metadata }: ServiceError) =>
      over(`${status[code]} ${String(metadata?.get('error-code')[0] ?? '')}`.trim(), retryFloorMs(metadata)),
    );
    const host = { hostname: 'desk', osFamily: 'linux', osVersion: 'test', agentVersion: '0.0.0' };
    call.write({ message: { $case: 'hello', value: { host, lastSeq: agent.made, bootId: 'storm' } } });
  });
}

async function keepUp(agent: OneAgent, way: Way) {
  let attempt = 0;
  while (!isEnding) {
    const { floorMs, isGood } = await oneSession(agent, way);
    if (isGood) attempt = 0;
    const waitMs = nextDelayMs({ ...PUSH_RETRY, attempt: attempt++, random: Math.random, floorMs });
    if (!isEnding) await delay(way.manner === 'hammering' ? 1 : waitMs);
  }
}

async function report(count: number, deadlineMs: number): Promise<StormAnswer> {
  attempts = 0;
  ends = {};
  const fromMs = performance.now();
  for (const agent of all) {
    agent.made += count;
    agent.push?.();
  }
  const isDone = ({ acked, made }: OneAgent) => acked >= made;
  while (!all.every(isDone) && performance.now() - fromMs < deadlineMs) await delay(5);
  return {
    done: all.filter(isDone).length,
    tookMs: performance.now() - fromMs,
    attempts,
    ends,
    acked: Object.fromEntries(all.map(({ identity, acked }) => [identity.agentId, acked])),
  };
}

serveParent<StormQuestion, StormAnswer>({}, async (question) => {
  if (question.ask === 'begin') {
    all = question.agents.map((identity) => ({ identity, acked: 0, made: 0, sent: 0, push: undefined }));
    for (const agent of all) void keepUp(agent, question);
    return await report(0, 0);
  }
  if (question.ask === 'report') return await report(question.count, question.deadlineMs);
  isEnding = true;
  for (const cancel of cancels) cancel();
  return await report(0, 0);
});
