import { readFile, stat } from 'node:fs/promises';
import type { Facts } from '@sitewarden/agent-proto/agent';
import type { ToolResult } from '@sitewarden/kit/exec';
import { askTool } from '../ask-tool.ts';
import { toolProblem } from '../tool-problem.ts';
import type { CollectContext, Observation } from '../types.ts';
import { firewallFacts, hasIpv6 } from './facts.ts';
import { type IptablesInput, parseIptablesRules } from './iptables-rules.ts';
import { type Family, type Fate, type InputFilter, parseNftRuleset } from './nft-ruleset.ts';

/**
 * Asks the kernel's rules and not the managers (firewalld, ufw): a manager may run with nothing loaded. iptables-nft
 * rules show up in nft; the older iptables has tables of its own, so it is asked when nft shows no filter.
 */
export async function collectFirewall({ signal }: CollectContext): Promise<Observation[]> {
  const ipv6InUse = hasIpv6(await readFile('/proc/net/if_inet6', 'utf8').catch(() => ''));
  const nft = await askTool(['nft', '--json', 'list', 'ruleset'], { signal, maxBytes: 8 * 1024 * 1024 });
  const seen = nft.ok ? parseNftRuleset(nft.stdout) : undefined;
  if (seen !== undefined && (seen.fate.ipv4 !== undefined || seen.fate.ipv6 !== undefined)) {
    const fate = { ...seen.fate, ...(await clearedByIptables(seen, signal)) };
    const facts = firewallFacts({ technology: seen.manager, fate, ruleCount: seen.ruleCount, ipv6InUse });
    return [{ subject: '', facts }];
  }
  const legacy = await iptablesFacts({ signal, ipv6InUse });
  if (legacy.facts !== undefined) return [{ subject: '', facts: legacy.facts }];
  if (seen === undefined && (!nft.missing || !legacy.missing)) {
    const probe_error = nft.missing
      ? toolProblem('iptables', 'iptables', legacy.result)
      : toolProblem('nft', 'nftables', nft);
    return [{ subject: '', facts: { probe_error } }];
  }
  if (seen === undefined) return [{ subject: '', facts: { probe_error: toolProblem('nft', 'nftables', nft) } }];
  if (!legacy.missing) {
    const probe_error = toolProblem('iptables', 'iptables', legacy.result);
    return [{ subject: '', facts: { technology: 'nftables', rule_count: seen.ruleCount, probe_error } }];
  }
  const facts = firewallFacts({ technology: 'none', fate: {}, ruleCount: seen.ruleCount, ipv6InUse });
  return [{ subject: '', facts }];
}

/** nft shows some conditions of iptables-nft by their name alone; where only its tables filter, that tool tells them whole. */
async function clearedByIptables(seen: InputFilter, signal: AbortSignal): Promise<Partial<Record<Family, Fate>>> {
  const cleared: Partial<Record<Family, Fate>> = {};
  for (const family of seen.iptablesOnly) {
    if (seen.fate[family] !== 'unclear') continue;
    const listed = await askTool([family === 'ipv4' ? 'iptables' : 'ip6tables', '-S'], { signal });
    const fate = listed.ok ? parseIptablesRules(listed.stdout)?.fate : undefined;
    // No filter at all in there: it is not the one nft shows.
    if (fate !== undefined) cleared[family] = fate;
  }
  return cleared;
}

interface LegacySight {
  /** undefined when the rules could not be read. */
  readonly facts?: Facts;
  readonly missing: boolean;
  readonly result: ToolResult;
}

async function iptablesFacts(context: { signal: AbortSignal; ipv6InUse: boolean }): Promise<LegacySight> {
  const { signal, ipv6InUse } = context;
  const suffix = (await hasLegacyTables()) ? '-legacy' : '';
  const result = await askTool([`iptables${suffix}`, '-S'], { signal });
  const v4 = result.ok ? parseIptablesRules(result.stdout) : undefined;
  if (v4 === undefined) return { missing: result.missing, result };
  const listed6 = await askTool([`ip6tables${suffix}`, '-S'], { signal });
  const v6 = listed6.ok ? parseIptablesRules(listed6.stdout) : undefined;
  if (v6 === undefined && ipv6InUse) return { missing: false, result: listed6 };
  return { facts: legacyFacts(v4, v6, ipv6InUse), missing: false, result };
}

/** Where `iptables` is the nft form, rules of the older one are seen only by its own tool. Asking that would load it. */
async function hasLegacyTables(): Promise<boolean> {
  const loaded = await readFile('/proc/net/ip_tables_names', 'utf8').catch(() => '');
  const tool = await stat('/usr/sbin/iptables-legacy').catch(() => undefined);
  return tool !== undefined && loaded.split('\n').includes('filter');
}

function legacyFacts(v4: IptablesInput, v6: IptablesInput | undefined, ipv6InUse: boolean): Facts {
  return firewallFacts({
    technology: v4.isUfw ? 'ufw' : v4.fate === undefined && v6?.fate === undefined ? 'none' : 'iptables',
    fate: {
      ...(v4.fate === undefined ? {} : { ipv4: v4.fate }),
      ...(v6?.fate === undefined ? {} : { ipv6: v6.fate }),
    },
    ruleCount: v4.ruleCount + (v6?.ruleCount ?? 0),
    ipv6InUse,
  });
}
