import { RMM_PRODUCTS, type RmmArea, type RmmKind } from './products.ts';

export interface WorkstationFindings {
  readonly agentId: string;
  readonly host: string;
  /** As the agent reported them last. */
  readonly findings: readonly RmmFindingView[];
}

export interface RmmFindingView {
  readonly product: string;
  /** Empty when not known. */
  readonly version: string;
  readonly running: boolean;
}

/** An action of ours, and the areas it changes. Empty: it only looks. */
export interface OwnAction {
  readonly action: string;
  readonly changes: readonly RmmArea[];
}

/** What the agent can be told to do today. */
export const OWN_ACTIONS: readonly OwnAction[] = [
  { action: 'run_check', changes: [] },
  { action: 'collect_diagnostics', changes: [] },
  { action: 'restart_service', changes: ['services'] },
  { action: 'start_service', changes: ['services'] },
  { action: 'firewall_on', changes: ['firewall'] },
  { action: 'defender_start', changes: ['antimalware'] },
  { action: 'signatures_update', changes: ['antimalware'] },
  { action: 'screenlock_policy', changes: ['screenlock'] },
  // It fetches the lists of what there is; nothing is installed.
  { action: 'security_updates_scan', changes: [] },
  { action: 'security_updates_install', changes: ['updates'] },
  { action: 'bitlocker_resume', changes: ['encryption'] },
  { action: 'update_agent', changes: [] },
  // Only what an action above can change back.
  { action: 'undo', changes: ['services', 'firewall', 'screenlock'] },
];

export interface ToolSeen extends RmmFindingView {
  /** unknown: a newer agent knows a tool that this side does not. */
  readonly kind: RmmKind | 'unknown';
}

export interface Fight {
  readonly action: string;
  readonly product: string;
  readonly area: RmmArea;
  /** `likely`: the tool runs. `possible`: it is installed and stands still now. */
  readonly certainty: 'likely' | 'possible';
  readonly why: string;
}

export interface WorkstationOverlap {
  readonly agentId: string;
  readonly host: string;
  readonly tools: readonly ToolSeen[];
  readonly fights: readonly Fight[];
  /** Areas that two or more running tools change, whatever we do. */
  readonly rivals: readonly { readonly area: RmmArea; readonly products: readonly string[] }[];
}

export interface OverlapReport {
  /** Those with a tool, the most fights first, then by host. */
  readonly workstations: readonly WorkstationOverlap[];
  readonly products: readonly {
    readonly product: string;
    readonly kind: RmmKind | 'unknown';
    readonly installed: number;
    readonly running: number;
  }[];
  /** Without any tool. */
  readonly cleanCount: number;
}

const WHY: Readonly<Record<RmmArea, string>> = {
  services: 'Both restart services: each takes the repair of the other for a new fault.',
  updates: 'Both install updates and restart the machine: two installers at once, and two restarts.',
  firewall: 'Both set the firewall: what one turns on, the policy of the other puts back.',
  antimalware: 'Both set the anti-malware engine: a tool that brings its own engine turns Defender off on purpose.',
  encryption: 'Both look after disk encryption: protection that one suspends for its work, the other resumes.',
  screenlock: 'Both set the screen lock: the policy of the other is written back at its next run.',
};

/** Which workstation has which tool, and which of our actions it would fight. Pure. */
export function overlapReport(
  seen: readonly WorkstationFindings[],
  actions: readonly OwnAction[] = OWN_ACTIONS,
): OverlapReport {
  const all = seen.map((workstation) => overlapOf(workstation, actions));
  const workstations = all
    .filter(({ tools }) => tools.length > 0)
    .sort((a, b) => b.fights.length - a.fights.length || compare(a.host, b.host) || compare(a.agentId, b.agentId));
  return { workstations, products: countProducts(workstations), cleanCount: all.length - workstations.length };
}

function overlapOf(
  { agentId, host, findings }: WorkstationFindings,
  actions: readonly OwnAction[],
): WorkstationOverlap {
  const tools = mergeByProduct(findings);
  const fights = tools.flatMap((tool) => actions.flatMap((action) => fightsOf(tool, action)));
  return { agentId, host, tools, fights, rivals: rivalsOf(tools) };
}

/** One tool seen twice is one tool: it runs when it was seen running once. */
function mergeByProduct(findings: readonly RmmFindingView[]): ToolSeen[] {
  const byProduct = new Map<string, ToolSeen>();
  for (const { product, version, running } of findings) {
    const before = byProduct.get(product);
    byProduct.set(product, {
      product,
      version: before?.version || version,
      running: running || before?.running === true,
      kind: known(product)?.kind ?? 'unknown',
    });
  }
  return [...byProduct.values()].sort((a, b) => compare(a.product, b.product));
}

function fightsOf({ product, running }: ToolSeen, { action, changes }: OwnAction): Fight[] {
  const areas = known(product)?.areas ?? [];
  return changes
    .filter((area) => areas.includes(area))
    .map((area) => ({ action, product, area, certainty: running ? 'likely' : 'possible', why: WHY[area] }));
}

function rivalsOf(tools: readonly ToolSeen[]): WorkstationOverlap['rivals'] {
  const running = tools.filter((tool) => tool.running);
  const areas = [...new Set(running.flatMap(({ product }) => known(product)?.areas ?? []))];
  return areas
    .map((area) => ({
      area,
      products: running.map(({ product }) => product).filter((product) => known(product)?.areas.includes(area)),
    }))
    .filter(({ products }) => products.length > 1);
}

function countProducts(workstations: readonly WorkstationOverlap[]): OverlapReport['products'] {
  const counts = new Map<string, OverlapReport['products'][number]>();
  for (const { product, kind, running } of workstations.flatMap(({ tools }) => tools)) {
    const before = counts.get(product) ?? { product, kind, installed: 0, running: 0 };
    counts.set(product, {
      product,
      kind,
      installed: before.installed + 1,
      running: before.running + (running ? 1 : 0),
    });
  }
  return [...counts.values()].sort((a, b) => b.installed - a.installed || compare(a.product, b.product));
}

const known = (product: string) => RMM_PRODUCTS.find((one) => one.product === product);

/** By code unit: the same order on every machine, whatever its language. */
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
