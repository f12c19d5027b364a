/** Every query's key in one place: what live events invalidate must be what the pages read. */
export const keys = {
  session: ['session'] as const,
  sites: ['sites'] as const,
  site: (siteId: string) => ['site', siteId] as const,
  agents: (siteId: string) => ['agents', siteId] as const,
  incidents: (siteId: string) => ['incidents', siteId] as const,
  devices: (siteId: string) => ['devices', siteId] as const,
  evidence: (siteId: string) => ['evidence', siteId] as const,
  timeline: (siteId: string) => ['timeline', siteId] as const,
  orders: (siteId: string) => ['orders', siteId] as const,
  users: ['users'] as const,
  invites: ['invites'] as const,
  me: ['me'] as const,
  clients: ['clients'] as const,
  codes: ['codes'] as const,
  claimSessions: ['claim-sessions'] as const,
  claimSession: ['claim-session'] as const,
};
