export { agentHistory } from './agent-history.ts';
/** What staff see of their sites, and what they may set. */
export { listSiteAgents } from './agents.ts';
export { assertSite } from './assert-site.ts';
export { readSiteDetail } from './detail.ts';
export { listSiteDevices } from './devices.ts';
export { listSiteEvidence, proveEntry } from './evidence.ts';
export { listSiteIncidents } from './incidents.ts';
export { listSites } from './list.ts';
export { changeSite, createSite } from './manage.ts';
export { listSiteOrders } from './orders.ts';
export { rmmOverlap } from './overlap.ts';
export { releaseQuarantine } from './release.ts';
export { readTimeline } from './timeline.ts';
