import type { CollectContext, Collector, Observation } from './types.ts';

type Collect = (context: CollectContext) => Promise<readonly Observation[]>;

/** A collector's way to look, one for each operating system it knows. */
export function onPlatforms(
  ways: Readonly<Partial<Record<NodeJS.Platform, Collect>>>,
): Pick<Collector, 'platforms' | 'collect'> {
  return {
    platforms: Object.keys(ways) as NodeJS.Platform[],
    collect: (context) => ways[process.platform]?.(context) ?? Promise.resolve([]),
  };
}
