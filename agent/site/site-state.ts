import type { AgentConfig } from '@sitewarden/agent-proto/agent';
import type { SiteMemory } from '../queue/index.ts';
import { type IntervalOverrides, type SiteConfig, toSiteConfig } from './site-config.ts';

export interface SiteState {
  readonly config: SiteConfig;
  /** Kept on disk first, so that a restart while the appliance is away goes by it; then told to the listeners. */
  apply(wire: AgentConfig): void;
  onChange(listener: (config: SiteConfig) => void): () => void;
}

export function createSiteState(memory: SiteMemory, overrides: IntervalOverrides = {}): SiteState {
  let config = toSiteConfig(memory.readConfig(), overrides);
  const listeners = new Set<(config: SiteConfig) => void>();
  return {
    get config() {
      return config;
    },
    apply(wire) {
      memory.writeConfig(wire);
      config = toSiteConfig(wire, overrides);
      for (const listener of listeners) listener(config);
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
