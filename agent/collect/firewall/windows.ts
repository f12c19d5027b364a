import type { Facts } from '@sitewarden/agent-proto/agent';
import { type Row, rowInteger, rowText, type SectionAnswer, sectionProblem } from '../../windows/index.ts';
import { decodeProductState } from '../defender/product-state.ts';
import type { CollectContext, Observation } from '../types.ts';

export interface WindowsFirewallSight {
  readonly firewall: SectionAnswer;
  readonly products: SectionAnswer;
  readonly services: SectionAnswer;
}

export async function collectFirewallWindows({ windows }: CollectContext): Promise<Observation[]> {
  const [firewall, products, services] = await Promise.all([
    windows.ask('firewall'),
    windows.ask('firewall_products'),
    windows.ask('services'),
  ]);
  return [{ subject: '', facts: windowsFirewallFacts({ firewall, products, services }) }];
}

/** Names of MSFT_NetFirewallProfile, which are not translated. */
const PROFILES = ['Domain', 'Private', 'Public'] as const;
const OFF = 0;
const ON = 1;
const NOT_CONFIGURED = 0;
const ALLOW = 2;
const BLOCK = 4;
const SOURCES: Readonly<Record<string, string>> = { active: 'effective', local: 'local', registry: 'registry' };

/** All three profiles count: a laptop is in another of them at the next place. */
export function windowsFirewallFacts({ firewall, products, services }: WindowsFirewallSight): Facts {
  if (!firewall.ok) return { probe_error: sectionProblem('The state of Windows Firewall', firewall) };
  const profiles = PROFILES.map((name) => ({ name, row: firewall.rows.find((row) => rowText(row, 'Name') === name) }));
  const source = SOURCES[rowText(firewall.rows[0] ?? {}, 'Store') ?? ''];
  const off = profiles
    .filter(({ row }) => row && rowInteger(row, 'Enabled') === OFF)
    .map(({ name }) => name.toLowerCase());
  const on = profiles.filter(({ row }) => row && rowInteger(row, 'Enabled') === ON);
  const service = serviceState(services);
  const facts: Facts = {
    technology: 'windows',
    active: on.length > 0 && service !== 'off',
    profiles_off: service === 'off' ? PROFILES.map((name) => name.toLowerCase()) : off,
    input_policy: policyOf(
      on.map(({ row }) => row!),
      source,
    ),
  };
  if (source !== undefined) facts.policy_source = source;
  const other = thirdParty(products);
  if (other && (off.length > 0 || service === 'off')) {
    const probe_error =
      'Another firewall has taken the place of Windows Firewall. Look at its rules in its own console.';
    return { ...facts, technology: 'third_party', probe_error };
  }
  if (service === 'off' || off.length > 0) return facts;
  if (on.length < PROFILES.length) {
    return {
      ...facts,
      probe_error:
        'The state of some profiles is not known. Run Get-NetFirewallProfile -PolicyStore ActiveStore by hand.',
    };
  }
  // A server has no Security Center and the list of services is then all there is; without it a stopped engine looks on.
  return service === 'not_known'
    ? { ...facts, probe_error: 'Whether the firewall service runs is not known. Run the agent as SYSTEM.' }
    : facts;
}

/** The weakest of the profiles that are on. In the effective store nothing configured means that Windows blocks. */
function policyOf(rows: readonly Row[], source: string | undefined): string {
  const fates = rows.map((row) => {
    const action = rowInteger(row, 'DefaultInboundAction');
    if (action === ALLOW) return 'accept';
    if (action === BLOCK) return 'drop';
    return action === NOT_CONFIGURED && source === 'effective' ? 'drop' : 'unclear';
  });
  if (fates.length === 0) return 'none';
  return fates.includes('accept') ? 'accept' : fates.includes('unclear') ? 'unclear' : 'drop';
}

/** Profiles can be on while the service that filters is stopped. */
function serviceState(services: SectionAnswer): 'on' | 'off' | 'not_known' {
  const row = services.ok ? services.rows.find((one) => rowText(one, 'Name')?.toLowerCase() === 'mpssvc') : undefined;
  const state = row && rowText(row, 'State');
  return state === 'Running' ? 'on' : state === 'Stopped' ? 'off' : 'not_known';
}

function thirdParty(products: SectionAnswer): boolean {
  if (!products.ok) return false;
  return products.rows.some((row) => {
    const value = rowInteger(row, 'productState');
    return value !== undefined && decodeProductState(value).state === 'on' && !decodeProductState(value).isMicrosofts;
  });
}
