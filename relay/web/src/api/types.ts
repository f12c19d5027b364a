import type { paths } from './schema.d.ts';

type Json<R> = R extends { content: { 'application/json': infer Body } } ? Body : never;
type Responses<O> = O extends { responses: infer R } ? R : never;
type Success<R> = R extends { 200: infer A } ? Json<A> : R extends { 201: infer A } ? Json<A> : never;

/** What a route answers when it succeeds. */
export type Answer<P extends keyof paths, M extends keyof paths[P]> = Success<Responses<paths[P][M]>>;
/** What a route takes as its body. */
export type Body<P extends keyof paths, M extends keyof paths[P]> = paths[P][M] extends {
  requestBody?: { content: { 'application/json': infer B } };
}
  ? B
  : never;

export type Session = Answer<'/api/session', 'get'>;
export type Role = Session['role'];
export type SiteList = Answer<'/api/sites', 'get'>;
export type SiteSummary = SiteList['sites'][number];
export type Health = SiteSummary['health'];
export type FleetStatus = SiteSummary['status'];
export type EvidenceState = SiteSummary['evidence'];
export type SeverityCounts = SiteSummary['incidents'];
export type Severity = keyof SeverityCounts;
export type SiteDetail = Answer<'/api/sites/{siteId}', 'get'>;
export type Appliance = NonNullable<SiteDetail['appliance']>;
export type Tier = SiteDetail['agentTier'];
export type SitePatch = Body<'/api/sites/{siteId}', 'patch'>;
export type Custody = Answer<'/api/sites/{siteId}/custody', 'get'>;
export type Release = NonNullable<Custody['release']>;
export type Receipt = Custody['receipts'][number];
export type ReceiptAnswer = Answer<'/api/receipts/{receiptId}', 'get'>;
export type Quarantine = Answer<'/api/sites/{siteId}/quarantine', 'get'>;
export type SeenSpan = Answer<'/api/sites/{siteId}/availability', 'get'>['hours'][number];
export type SecretList = Answer<'/api/sites/{siteId}/secrets', 'get'>;
export type Rearm = Answer<'/api/provision/rearms', 'get'>['rearms'][number];
export type AgentList = Answer<'/api/sites/{siteId}/agents', 'get'>;
export type Agent = AgentList['agents'][number];
export type Check = Agent['checks'][number];
export type AgentTier = Answer<'/api/sites/{siteId}/agents/{agentId}/tier', 'put'>;
export type GroupList = Answer<'/api/sites/{siteId}/groups', 'get'>;
export type Group = GroupList['groups'][number];
export type GroupRequest = Body<'/api/sites/{siteId}/groups', 'post'>;
export type GroupPatch = Body<'/api/sites/{siteId}/groups/{groupId}', 'patch'>;
export type RmmOverlap = Answer<'/api/sites/{siteId}/rmm', 'get'>;
export type AgentHistory = Answer<'/api/sites/{siteId}/agents/{agentId}/history', 'get'>;
export type CheckTimeline = AgentHistory['checks'][number];
export type StatusSpan = CheckTimeline['spans'][number];
export type Facts = Check['facts'];
export type IncidentList = Answer<'/api/sites/{siteId}/incidents', 'get'>;
export type Incident = IncidentList['incidents'][number];
export type ActionRun = Incident['actions'][number];
export type DeviceList = Answer<'/api/sites/{siteId}/devices', 'get'>;
export type Device = DeviceList['devices'][number];
export type EvidenceList = Answer<'/api/sites/{siteId}/evidence', 'get'>;
export type EvidenceEntry = EvidenceList['entries'][number];
export type Timeline = Answer<'/api/sites/{siteId}/timeline', 'get'>;
export type TimelineItem = Timeline['items'][number];
export type OrderList = Answer<'/api/sites/{siteId}/orders', 'get'>;
export type Order = OrderList['orders'][number];
export type OrderRequest = Body<'/api/sites/{siteId}/orders', 'post'>;
export type ClientList = Answer<'/api/clients', 'get'>;
export type CodeList = Answer<'/api/provision/codes', 'get'>;
export type Code = CodeList['codes'][number];
export type CodeRequest = Body<'/api/provision/codes', 'post'>;
export type CodeCreated = Answer<'/api/provision/codes', 'post'>;
export type ClaimSessionList = Answer<'/api/provision/sessions', 'get'>;
export type ClaimSession = ClaimSessionList['sessions'][number];
export type UserList = Answer<'/api/users', 'get'>;
export type Person = UserList['users'][number];
export type PersonChange = Body<'/api/users/{userId}', 'put'>;
export type Me = Answer<'/api/users/me', 'get'>;
export type OwnPassword = Body<'/api/users/me/password', 'post'>;
export type InviteList = Answer<'/api/users/invites', 'get'>;
export type Invite = InviteList['invites'][number];
export type InviteRequest = Body<'/api/users/invite', 'post'>;
export type InviteCreated = Answer<'/api/users/invite', 'post'>;
export type InviteGreeting = Answer<'/api/users/invite/validate/{token}', 'get'>;
