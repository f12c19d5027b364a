export { type IntervalOverrides, type SiteConfig, toSiteConfig } from './site-config.ts';
export { createSiteState, type SiteState } from './site-state.ts';
