import { CodedError } from '@sitewarden/kit/errors';
import type { LifecyclePart } from '@sitewarden/kit/lifecycle';
import { applianceErrors } from '../errors.ts';
import type { Identity } from '../identity/index.ts';
import type { Installers } from '../installers/index.ts';
import type { ApplianceContext } from '../lib/context.ts';
import type { Marks, Room } from '../store/index.ts';
import { enroll } from './enroll.ts';
import { toServiceError } from './grpc-error.ts';
import { createJournal } from './journal.ts';
import { type Listener, listen } from './listener.ts';
import { assertReadable, type PushMessage, type Unreadable } from './messages.ts';
import { peerOf } from './peers.ts';
import { createPresence } from './presence.ts';
import { pushReport } from './push-report.ts';
import { createReceipts } from './receipts.ts';
import { renew } from './renew.ts';
import { createServers } from './servers.ts';
import { type AgentServiceHandlers, unary } from './service.ts';
import { PATIENCE, type Patience, runSession, type SessionCall } from './session.ts';
import { createSessions } from './sessions.ts';
import { costOf, LEAST_WAIT_MS, pay, TokenBucket } from './token-bucket.ts';
import { createUnknownWatch } from './unknown-watch.ts';
import { validateReport } from './validate-message.ts';

export { hashToken } from './enroll.ts';

const HOUR_MS = 3_600_000;
/** Certificates that ran out meanwhile end their connections within this time. */
const SWEEP_MS = 10_000;
/** For the status of a call to get out before its connection goes. */
const STATUS_MS = 500;
const ENROLL_RATE = { perS: 5, burst: 50 } as const;
/** Of one agent, all but reports: it beats once a minute, and each order has two receipts, which may all wait for a session. */
const TALK_RATE = { perS: 10, burst: 500, refill: 100 } as const;
/** Of one agent: it renews every twenty days, and each time costs a signature and a row. */
const RENEW_RATE = { perS: 0.1, burst: 20 } as const;
/** Of one agent: pieces of half a MiB each, so an installer of 128 MiB takes a quarter of a minute at least. */
const FETCH_RATE = { perS: 16, burst: 32, refill: 16 } as const;

export interface IntakeOptions {
  readonly ctx: ApplianceContext;
  readonly identity: Identity;
  /** Whether the disk lets anything more in. */
  readonly room: Pick<Room, 'assert' | 'onFull'>;
  readonly marks?: Pick<Marks, 'raiseReport'>;
  readonly installers: Pick<Installers, 'readPiece'>;
  readonly patience?: Patience;
  /** The time certificates are judged by; default: the clock of the box. */
  readonly certificateNowMs?: () => number;
}

export interface Intake extends LifecyclePart {
  /** The port in use; 0 before the start. */
  readonly port: number;
}

interface AgentBuckets {
  readonly bucket: TokenBucket;
  readonly talkBucket: TokenBucket;
  readonly renewBucket: TokenBucket;
  readonly fetchBucket: TokenBucket;
}

/** AGENT/1 on its port. */
export function createIntake({
  ctx,
  identity,
  room,
  marks,
  installers,
  certificateNowMs,
  patience = PATIENCE,
}: IntakeOptions): Intake {
  const { log, clock, config, metrics } = ctx;
  const nowMs = certificateNowMs ?? clock.nowMs;
  const presence = createPresence(ctx);
  const sessions = createSessions(ctx, presence);
  const journal = createJournal({
    ctx,
    marks,
    assertRoom: room.assert,
    onFailure(error, needsReopen) {
      log.error({ err: error, needsReopen }, 'reports were not stored');
      if (needsReopen) ctx.signals.emit('diskFault', { error });
      else if ((error as { code?: unknown }).code === 'SQLITE_FULL') room.onFull();
    },
  });
  const receipts = createReceipts(ctx);
  const onUnknown = createUnknownWatch(ctx);
  const buckets = new Map<string, AgentBuckets>();
  /** Their connections may live for a moment longer; their calls do not. */
  const removed = new Set<string>();
  const enrollBucket = new TokenBucket({ ...ENROLL_RATE, nowMs: clock.monotonicMs() });
  let listener: Listener | undefined;
  let shutDownServers: () => void = () => {};
  let timers: NodeJS.Timeout[] = [];
  let off: (() => void)[] = [];

  function bucketsOf(agentId: string): AgentBuckets {
    const known = buckets.get(agentId);
    if (known !== undefined) return known;
    const { reportsPerS: perS, burst } = config.intake;
    const atMs = clock.monotonicMs();
    const both = {
      bucket: new TokenBucket({ perS, burst, nowMs: atMs, refill: Math.ceil(burst / 4) }),
      talkBucket: new TokenBucket({ ...TALK_RATE, nowMs: atMs }),
      renewBucket: new TokenBucket({ ...RENEW_RATE, nowMs: atMs }),
      fetchBucket: new TokenBucket({ ...FETCH_RATE, nowMs: atMs }),
    };
    buckets.set(agentId, both);
    return both;
  }

  /** The agent behind a call. Throws CLIENT_CERTIFICATE_NEEDED, CLIENT_CERTIFICATE_INVALID, AGENT_REMOVED. */
  function agentOf(peerName: string): string {
    const peer = listener?.peer(peerName);
    if (peer?.kind === 'refused') throw peer.error;
    if (peer?.kind !== 'agent') throw applianceErrors.make('CLIENT_CERTIFICATE_NEEDED');
    if (removed.has(peer.agentId)) throw applianceErrors.make('AGENT_REMOVED');
    if (peer.notAfterMs <= nowMs()) throw applianceErrors.make('CLIENT_CERTIFICATE_INVALID');
    return peer.agentId;
  }

  function onRefused(code: string, error: unknown): void {
    metrics.intakeRefusals.inc({ code });
    if (!(error instanceof CodedError)) log.error({ err: error }, 'a call failed');
  }

  /** A moment for the status to get out. */
  function dropSoon(peerName: string): void {
    setTimeout(() => listener?.drop(peerName), STATUS_MS).unref();
  }

  function onStuck(peerName: string): void {
    log.warn({ peerName }, 'a call stood still and was cut');
    dropSoon(peerName);
  }

  const handlers: AgentServiceHandlers = {
    enroll: unary(async (request) => {
      pay(enrollBucket, { nowMs: clock.monotonicMs() });
      assertReadable<Exclude<typeof request, Unreadable>>(request);
      return await enroll(ctx, identity.siteCa, { request: request.message, certificateNowMs: nowMs() });
    }, onRefused),
    session(call: SessionCall) {
      let agentId: string;
      try {
        agentId = agentOf(call.getPeer());
      } catch (error) {
        const serviceError = toServiceError(error);
        onRefused(serviceError.name ?? 'INTERNAL', error);
        call.emit('error', serviceError);
        call.resume();
        return;
      }
      const deps = { ctx, journal, presence, receipts, patience, onStuck, ...bucketsOf(agentId) };
      runSession(call, agentId, { ...deps, onOpen: sessions.open, onClose: sessions.close, onUnknown });
    },
    pushReport: unary(async (request, peerName) => {
      const agentId = agentOf(peerName);
      assertReadable<Exclude<PushMessage, Unreadable>>(request);
      const cost = costOf(request.message.body);
      pay(bucketsOf(agentId).bucket, { nowMs: clock.monotonicMs(), cost, leastMs: LEAST_WAIT_MS });
      const unknown = validateReport(request.message.report);
      if (unknown !== undefined) onUnknown(agentId, unknown);
      return await pushReport(journal, agentId, request.message);
    }, onRefused),
    renewCertificate: unary(async (request, peerName) => {
      const agentId = agentOf(peerName);
      pay(bucketsOf(agentId).renewBucket, { nowMs: clock.monotonicMs() });
      assertReadable<Exclude<typeof request, Unreadable>>(request);
      return await renew(ctx, identity.siteCa, { agentId, request: request.message, certificateNowMs: nowMs() });
    }, onRefused),
    fetchInstaller: unary(async (request, peerName) => {
      pay(bucketsOf(agentOf(peerName)).fetchBucket, { nowMs: clock.monotonicMs() });
      assertReadable<Exclude<typeof request, Unreadable>>(request);
      const { name, offset } = request.message;
      if (!Number.isSafeInteger(offset) || offset < 0) {
        throw applianceErrors.make('MESSAGE_INVALID', {
          field: 'offset',
          detail: 'The offset is not a place in a file',
        });
      }
      return await installers.readPiece(name, offset);
    }, onRefused),
  };

  function removeAgent(agentId: string): void {
    removed.add(agentId);
    sessions.of(agentId)?.end(applianceErrors.make('AGENT_REMOVED'));
    setTimeout(() => listener?.cut((peer) => peer.agentId === agentId), STATUS_MS).unref();
  }

  function sweep(): void {
    const atMs = nowMs();
    listener?.cut((peer) => peer.notAfterMs <= atMs);
    const monotonicMs = clock.monotonicMs();
    for (const [id, own] of buckets) {
      if (Object.values(own).every((bucket: TokenBucket) => bucket.isFull(monotonicMs))) buckets.delete(id);
    }
  }

  async function renewServerTls(): Promise<void> {
    const { tls, isNew } = await identity.serverTls(nowMs());
    if (isNew) listener?.useTls(tls);
  }

  return {
    name: 'intake',
    get port() {
      return listener?.port ?? 0;
    },
    async start() {
      presence.start();
      const servers = createServers(handlers, {
        refusalOf(peerName) {
          const peer = listener?.peer(peerName);
          return peer?.kind === 'refused' ? peer.error : applianceErrors.make('CLIENT_CERTIFICATE_NEEDED');
        },
        onRefused: (code) => metrics.intakeRefusals.inc({ code }),
        wholeWithinMs: patience.unreadMs,
        onStuck,
      });
      shutDownServers = servers.forceShutdown;
      listener = await listen({
        host: config.intake.host,
        port: config.intake.port,
        tls: (await identity.serverTls(nowMs())).tls,
        caPem: identity.siteCa.certificatePem,
        log,
        classify: (socket) =>
          peerOf(socket.getPeerX509Certificate(), {
            db: ctx.db,
            ca: identity.siteCa.certificate,
            nowMs: nowMs(),
            latestMs: Math.max(nowMs(), clock.nowMs()),
          }),
        onConnection: (socket, peer) => servers.serve(socket, peer.kind),
      }).catch((error: unknown) => {
        // A part that did not start is not stopped: what it began would keep the process alive.
        shutDownServers();
        presence.stop();
        throw error;
      });
      off = [
        ctx.signals.on('agentOrder', ({ agentId }) => sessions.of(agentId)?.pushOrders()),
        ctx.signals.on('config', () => {
          for (const session of sessions.all()) session.pushConfig();
        }),
        ctx.signals.on('agentRemoved', ({ agentId }) => removeAgent(agentId)),
      ];
      timers = [
        setInterval(sweep, SWEEP_MS),
        setInterval(() => {
          renewServerTls().catch((error: unknown) =>
            log.error({ err: error }, 'the server certificate was not renewed'),
          );
        }, HOUR_MS),
      ];
    },
    async stop() {
      for (const leave of off) leave();
      for (const timer of timers) clearInterval(timer);
      // Everything accepted is on disk and acknowledged before its connection goes.
      journal.close();
      await new Promise(setImmediate);
      sessions.endAll(applianceErrors.make('STOPPING'));
      await new Promise(setImmediate);
      await listener?.close();
      shutDownServers();
      presence.stop();
    },
  };
}
