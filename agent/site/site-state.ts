import type { AgentConfig } from '@sitewarden/agent-proto/agent';
import type { SiteMemory } from '../queue/index.ts';
import { type IntervalOverrides, type SiteConfig, toSiteConfig } from './site-config.ts';

export interface SiteState {
  readonly config: SiteConfig;
  /** The appliance has said what it wants, now or before a restart. */
  readonly isKnown: boolean;
  /**
   * Kept on disk first, so that a restart while the appliance is away goes by it; then told to the listeners. When the disk
   * refuses it holds all the same, for a lower tier must, and what the disk said is thrown at the end.
   */
  apply(wire: AgentConfig): void;
  onChange(listener: (config: SiteConfig) => void): () => void;
}

export function createSiteState(memory: SiteMemory, overrides: IntervalOverrides = {}): SiteState {
  const remembered = memory.readConfig();
  let isKnown = remembered !== undefined;
  let config = toSiteConfig(remembered, overrides);
  const listeners = new Set<(config: SiteConfig) => void>();
  return {
    get config() {
      return config;
    },
    get isKnown() {
      return isKnown;
    },
    apply(wire) {
      try {
        memory.writeConfig(wire);
      } finally {
        isKnown = true;
        config = toSiteConfig(wire, overrides);
        for (const listener of listeners) listener(config);
      }
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
