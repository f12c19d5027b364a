import type { Facts } from '@sitewarden/agent-proto/agent';
import { askTool } from '../ask-tool.ts';
import { toolProblem } from '../tool-problem.ts';
import type { CollectContext, Observation } from '../types.ts';

/** It asks Apple's servers, or those the Mac is bound to, and takes minutes on a slow line. */
export const SOFTWAREUPDATE_TIMEOUT_MS = 150_000;
const MAX_SAMPLE = 16;

export async function collectSoftwareupdate({ signal }: CollectContext): Promise<Observation[]> {
  const version = await askTool(['/usr/bin/sw_vers', '-productVersion'], { signal });
  const listed = await askTool(['/usr/sbin/softwareupdate', '--list'], {
    signal,
    timeoutMs: SOFTWAREUPDATE_TIMEOUT_MS,
  });
  const text = `${listed.stdout}\n${listed.stderr}`;
  const updates = listed.ok ? parseSoftwareupdate(text) : undefined;
  if (updates === undefined) {
    const probe_error = toolProblem('softwareupdate', 'macOS', listed);
    return [{ subject: '', facts: { manager: 'softwareupdate', probe_error } }];
  }
  return [{ subject: '', facts: softwareupdateFacts(updates, version.ok ? version.stdout.trim() : '') }];
}

export interface MacUpdate {
  readonly label: string;
  readonly title: string;
  readonly version: string;
  readonly isRecommended: boolean;
}

/** Two lines an update since macOS 10.15; undefined unless it says that it found some, or that there is none. */
export function parseSoftwareupdate(text: string): MacUpdate[] | undefined {
  const updates: MacUpdate[] = [];
  const lines = text.split('\n');
  for (const [index, line] of lines.entries()) {
    const label = /^\s*\*\s+Label:\s*(.+?)\s*$/.exec(line)?.[1];
    if (label === undefined) continue;
    const about = lines[index + 1] ?? '';
    const title = /Title:\s*(.*?),\s*Version:/.exec(about)?.[1];
    const version = /Version:\s*([^,]*),/.exec(about)?.[1];
    if (title === undefined || version === undefined) return undefined;
    updates.push({ label, title, version: version.trim(), isRecommended: /Recommended:\s*YES/i.test(about) });
  }
  if (updates.length > 0) return updates;
  return /No new software available/i.test(text) ? [] : undefined;
}

/** A newer macOS beside updates of this one is an upgrade, not a debt. Not knowing this one, it counts as an update. */
export function softwareupdateFacts(updates: readonly MacUpdate[], ownVersion: string): Facts {
  const major = (version: string): string => version.split('.')[0] ?? '';
  const isUpgrade = ({ title, version }: MacUpdate): boolean =>
    /^macOS\b/.test(title) && ownVersion !== '' && major(version) !== major(ownVersion);
  const pending = updates.filter((update) => !isUpgrade(update));
  const isSecurity = ({ title, label, isRecommended }: MacUpdate): boolean =>
    /security|\bRSR\b|rapid/i.test(`${title} ${label}`) || (isRecommended && /^(?:macOS|Safari)\b/.test(title));
  const security = pending.filter(isSecurity);
  return {
    manager: 'softwareupdate',
    pending_security: security.length,
    pending_total: pending.length,
    // The list was made just now.
    index_age_days: 0,
    // What needs a restart is installed by the restart; nothing waits half done.
    reboot_required: false,
    sample: [...security, ...pending.filter((update) => !isSecurity(update))]
      .map(({ label }) => label)
      .slice(0, MAX_SAMPLE),
  };
}
