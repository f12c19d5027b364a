import { type TSchema, Type } from '@sinclair/typebox';
import * as http from '@sitewarden/agent-proto/http';
import { WAKE_PATH } from '@sitewarden/agent-proto/wake';
import { AGENT_ROUTES } from './agent-routes.ts';
import { CUSTODY_ROUTES } from './custody-routes.ts';
import { PROVISION_ROUTES } from './provision-routes.ts';
import { SECRET_ROUTES } from './secret-routes.ts';
import { TIER_ROUTES } from './tier-routes.ts';
import { USER_ROUTES } from './user-routes.ts';
import * as view from './views.ts';
import { admins, everyone, operators } from './who.ts';

/**
 * Who may call a route. public: anyone. box: an appliance with a valid signature by a claimed, not revoked dik.
 * newBox: any box whose signature verifies under the dik in its own body or session. link: who is about to sign
 * in, with a one-time link, an invite or a password.
 * A list of roles: staff of the tenant with one of them. A route without a label does not exist: the type demands it.
 */
export type Access = 'public' | 'box' | 'newBox' | 'link' | readonly view.Role[];

export interface RouteContract {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  url: string;
  access: Access;
  summary: string;
  params?: TSchema;
  query?: TSchema;
  body?: TSchema;
  /** Request body that is not JSON. */
  consumes?: 'application/x-ndjson' | 'text/plain';
  response: TSchema | 'text/plain' | 'text/event-stream' | 'text/html' | 'application/pdf';
  status?: 200 | 201;
  /** Counted by address as strictly as sign-ins are, on an account of its own. */
  isGuessable?: true;
  /** Of routes of boxes: the request must carry the newest check-in token, for a copy of a box signs as well as the box. */
  isTokenAsked?: true;
}

const site = http.closed({ siteId: http.Id('site') });

export const ROUTES = {
  health: {
    method: 'GET',
    url: '/health',
    access: 'public',
    summary: 'Is the relay up and its store reachable',
    response: http.closed({
      ok: Type.Boolean(),
      store: Type.String(),
      version: Type.String(),
      /** With status 503: what is wrong, in words. */
      fault: Type.Optional(Type.String()),
    }),
  },
  openapi: {
    method: 'GET',
    url: '/api/openapi.json',
    access: 'public',
    summary: 'This description',
    response: Type.Unknown(),
  },
  relayKeys: {
    method: 'GET',
    url: http.BOX_PATHS.relayKeys,
    access: 'public',
    summary: 'Working keys of the relay, signed by its root key',
    response: http.closed({ relayKeys: http.EnvelopeText }),
  },

  provisionStart: {
    method: 'POST',
    url: http.BOX_PATHS.provisionStart,
    access: 'newBox',
    summary: 'A box shows the code: opens a claim session',
    body: http.ProvisionStartRequest,
    response: http.ProvisionStartResponse,
    status: 201,
  },
  provisionClaim: {
    method: 'POST',
    url: http.BOX_PATHS.provisionClaim,
    access: 'newBox',
    summary: 'A box presents the code a partner made',
    body: http.ProvisionClaimRequest,
    response: http.ProvisionAnswer,
  },
  provisionStatus: {
    method: 'POST',
    url: http.BOX_PATHS.provisionStatus,
    access: 'newBox',
    summary: 'A box asks how its claim stands',
    body: http.ProvisionStatusRequest,
    response: http.ProvisionAnswer,
  },
  provisionAck: {
    method: 'POST',
    url: http.BOX_PATHS.provisionAck,
    access: 'newBox',
    summary: 'A box has its grant on disk',
    body: http.ProvisionAckRequest,
    response: http.Acknowledged,
  },
  provisionDoctor: {
    method: 'POST',
    url: http.BOX_PATHS.provisionDoctor,
    access: 'newBox',
    summary: 'A box tells what it sees of its way to the relay',
    body: http.ProvisionDoctorRequest,
    response: http.Acknowledged,
  },
  codeOpened: {
    method: 'POST',
    url: '/api/provision/code-opened',
    access: 'public',
    summary: 'The page of a code was opened on a phone; the answer is the same for every code, known or not',
    body: view.CodeOpened,
    response: view.Ok,
    isGuessable: true,
  },
  checkin: {
    method: 'POST',
    url: http.BOX_PATHS.checkin,
    access: 'box',
    summary: 'Phone home',
    body: http.CheckinRequest,
    response: http.CheckinResponse,
  },
  outbox: {
    method: 'POST',
    url: http.BOX_PATHS.outbox,
    access: 'box',
    summary: 'Rows of one lane',
    consumes: 'application/x-ndjson',
    response: http.OutboxAnswer,
  },
  checkpoint: {
    method: 'POST',
    url: http.BOX_PATHS.checkpoint,
    access: 'box',
    summary: 'add-checkpoint of C2SP tlog-witness: cosigns the evidence log',
    consumes: 'text/plain',
    response: 'text/plain',
  },
  wake: {
    method: 'GET',
    url: WAKE_PATH,
    access: 'public',
    summary: 'The wake-up: MQTT 3.1.1 over WebSocket; each CONNECT is signed',
    response: 'text/plain',
  },
  boxOrders: {
    method: 'GET',
    url: http.BOX_PATHS.orders,
    access: 'box',
    summary: 'Orders that wait for the box',
    response: http.OrdersResponse,
    isTokenAsked: true,
  },
  boxConfig: {
    method: 'GET',
    url: http.BOX_PATHS.config,
    access: 'box',
    summary: 'Signed configuration of the site',
    response: http.ConfigResponse,
    isTokenAsked: true,
  },

  ...CUSTODY_ROUTES,
  ...SECRET_ROUTES,
  boxKeys: {
    method: 'POST',
    url: http.BOX_PATHS.keys,
    access: 'box',
    summary: 'The device key that is to follow this one, signed by both; the first request under it retires this one',
    body: http.KeyTransitionRequest,
    response: http.KeyTransitionAnswer,
    isTokenAsked: true,
  },

  signIn: {
    method: 'POST',
    url: '/api/session',
    access: 'link',
    summary: 'Trade a one-time link for a session',
    body: http.closed({ token: Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' }) }),
    response: view.SessionView,
  },
  session: {
    method: 'GET',
    url: '/api/session',
    access: [...view.ROLES],
    summary: 'Who am I',
    response: view.SessionView,
  },
  signOut: {
    method: 'DELETE',
    url: '/api/session',
    access: [...view.ROLES],
    summary: 'End this session',
    response: view.Ok,
  },
  ...USER_ROUTES,
  events: {
    method: 'GET',
    url: '/api/events',
    access: [...view.ROLES],
    summary: 'Live changes as server-sent events',
    response: 'text/event-stream',
  },

  clients: {
    method: 'GET',
    url: '/api/clients',
    access: everyone,
    summary: 'Clients of the partner',
    response: view.ClientList,
  },
  createClient: {
    method: 'POST',
    url: '/api/clients',
    access: admins,
    summary: 'Add a client',
    body: view.ClientRequest,
    response: view.ClientView,
    status: 201,
  },
  sites: {
    method: 'GET',
    url: '/api/sites',
    access: [...view.ROLES],
    summary: 'Sites, what is not fine first; a technician sees those given to them',
    query: view.SiteListQuery,
    response: view.SiteList,
  },
  createSite: {
    method: 'POST',
    url: '/api/sites',
    access: admins,
    summary: 'Add a site',
    body: view.SiteRequest,
    response: view.SiteCreated,
    status: 201,
  },
  site: {
    method: 'GET',
    url: '/api/sites/:siteId',
    access: everyone,
    summary: 'One site',
    params: site,
    response: view.SiteDetail,
  },
  changeSite: {
    method: 'PATCH',
    url: '/api/sites/:siteId',
    access: admins,
    summary: 'Change tier, required services or name; the box gets a new signed config',
    params: site,
    body: view.SitePatch,
    response: view.SiteDetail,
  },
  releaseQuarantine: {
    method: 'POST',
    url: '/api/sites/:siteId/appliance/release-quarantine',
    access: admins,
    summary: 'It is one box: put it back into service; a copy of it is caught again at its next check-in',
    params: site,
    body: view.ReleaseRequest,
    response: view.SiteDetail,
  },
  agents: {
    method: 'GET',
    url: '/api/sites/:siteId/agents',
    access: everyone,
    summary: 'Workstation agents and their checks',
    params: site,
    response: view.AgentList,
  },
  ...TIER_ROUTES,
  ...AGENT_ROUTES,
  incidents: {
    method: 'GET',
    url: '/api/sites/:siteId/incidents',
    access: everyone,
    summary: 'Incidents and what was done about them',
    params: site,
    query: view.IncidentQuery,
    response: view.IncidentList,
  },
  devices: {
    method: 'GET',
    url: '/api/sites/:siteId/devices',
    access: everyone,
    summary: 'Devices seen on the network',
    params: site,
    response: view.DeviceList,
  },
  evidence: {
    method: 'GET',
    url: '/api/sites/:siteId/evidence',
    access: everyone,
    summary: 'The evidence log, newest first',
    params: site,
    query: view.EvidenceQuery,
    response: view.EvidenceList,
  },
  evidenceEntry: {
    method: 'GET',
    url: '/api/sites/:siteId/evidence/:seq',
    access: everyone,
    summary: 'One entry with everything needed to verify it offline',
    params: http.closed({ siteId: http.Id('site'), seq: Type.Integer({ minimum: 0 }) }),
    query: view.EvidenceProofQuery,
    response: view.EvidenceEntryProof,
  },
  timeline: {
    method: 'GET',
    url: '/api/sites/:siteId/timeline',
    access: everyone,
    summary: 'What happened here, newest first',
    params: site,
    response: view.Timeline,
  },
  orders: {
    method: 'GET',
    url: '/api/sites/:siteId/orders',
    access: everyone,
    summary: 'Orders and their states',
    params: site,
    response: view.OrderList,
  },
  createOrder: {
    method: 'POST',
    url: '/api/sites/:siteId/orders',
    access: operators,
    summary: 'Give the box an order, like run the checks now',
    params: site,
    body: view.OrderRequest,
    response: view.OrderView,
    status: 201,
  },

  ...PROVISION_ROUTES,

  metrics: {
    method: 'GET',
    url: '/metrics',
    access: 'public',
    summary: 'Prometheus metrics; answered only to loopback or with the metrics token',
    response: 'text/plain',
  },
} as const satisfies Record<string, RouteContract>;

export type RouteName = keyof typeof ROUTES;
