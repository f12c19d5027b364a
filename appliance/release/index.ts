/** Leaving a site: the log is closed, the relay hears of it, and what belonged to the site is forgotten. */
export { forgetSite, type LeftSite, readLeft, writeLeft } from './forget.ts';
export { createRelease, type Release, type ReleaseOptions } from './release.ts';
