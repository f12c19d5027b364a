import { randomBytes } from 'node:crypto';
import { isId } from '@sitewarden/kit/ids';
import { withTransaction } from '@sitewarden/kit/sqlite';
import { applianceErrors } from '../errors.ts';
import type { SiteCa } from '../identity/index.ts';
import { hashToken } from '../intake/index.ts';
import type { ApplianceContext } from '../lib/context.ts';
import { agents, enrollTokens, removeAgent } from '../store/index.ts';

/** Long enough to walk to the workstation; short enough that a forgotten note is worth nothing. */
export const ENROLL_TOKEN_MS = 24 * 3_600_000;

export interface AgentInfo {
  readonly id: string;
  readonly hostname: string;
  readonly osFamily: string;
  readonly osVersion: string;
  readonly agentVersion: string;
  readonly tier: agents.AgentRecord['tier'];
  readonly connected: boolean;
  readonly enrolledAtMs: number;
  readonly lastHeartbeatAtMs: number | null;
}

export interface EnrollToken {
  /** Shown once; only its hash is kept. */
  readonly token: string;
  readonly expiresAtMs: number;
  /** Hex SHA-256 of the site CA's DER certificate. */
  readonly siteCaSha256: string;
}

export interface AgentAdmin {
  createEnrollToken(): EnrollToken;
  /** Revokes its certificates and cuts its session. Throws AGENT_UNKNOWN. */
  removeAgent(id: string): void;
  /** Active ones, by hostname. */
  list(): readonly AgentInfo[];
}

/** What staff on site do with agents. */
export function createAgentAdmin(ctx: ApplianceContext, siteCa: Pick<SiteCa, 'sha256'>): AgentAdmin {
  const { db, clock } = ctx;
  return {
    createEnrollToken() {
      const token = `swt_${randomBytes(32).toString('base64url')}`;
      const createdAtMs = clock.nowMs();
      const expiresAtMs = createdAtMs + ENROLL_TOKEN_MS;
      enrollTokens.insert(db, { hash: hashToken(token), createdAtMs, expiresAtMs });
      return { token, expiresAtMs, siteCaSha256: siteCa.sha256 };
    },
    removeAgent(id) {
      const atMs = clock.nowMs();
      withTransaction(db, () => {
        if (!isId('agt', id) || !removeAgent(db, { id, atMs })) {
          throw applianceErrors.make('AGENT_UNKNOWN', { field: 'id' });
        }
      });
      ctx.log.info({ agentId: id }, 'agent removed');
      ctx.signals.emit('agentRemoved', { agentId: id });
      ctx.signals.emit('agentOrder', { agentId: id });
      ctx.signals.emit('change');
    },
    list: () =>
      agents
        .list(db)
        .map(({ ackedThrough: _through, telemetry: _facts, changedAtMs: _at, state: _state, ...info }) => info),
  };
}
