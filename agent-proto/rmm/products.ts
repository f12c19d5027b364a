/** What somebody can change on a workstation. An action of ours and a tool that change the same area get in each other's way. */
export const RMM_AREAS = ['services', 'updates', 'firewall', 'antimalware', 'encryption', 'screenlock'] as const;
export type RmmArea = (typeof RMM_AREAS)[number];

/**
 * `rmm` monitors and repairs by itself, `mdm` puts settings back that differ from its policy, `remote_control` does only
 * what the person behind it does.
 */
export type RmmKind = 'rmm' | 'mdm' | 'remote_control';

export interface RmmProduct {
  readonly product: string;
  readonly kind: RmmKind;
  /** What it can be set to change without a person. Whether it is set so on this workstation cannot be seen from there. */
  readonly areas: readonly RmmArea[];
}

const RMM: readonly RmmArea[] = ['services', 'updates'];
const RMM_AND_SECURITY: readonly RmmArea[] = ['services', 'updates', 'antimalware'];
const MDM: readonly RmmArea[] = ['updates', 'firewall', 'antimalware', 'encryption', 'screenlock'];

/** Every tool the agent can tell. Findings name them by `product`. */
export const RMM_PRODUCTS: readonly RmmProduct[] = [
  { product: 'ConnectWise Automate', kind: 'rmm', areas: RMM_AND_SECURITY },
  { product: 'ConnectWise RMM', kind: 'rmm', areas: RMM_AND_SECURITY },
  { product: 'ConnectWise ScreenConnect', kind: 'remote_control', areas: [] },
  { product: 'Datto RMM', kind: 'rmm', areas: RMM_AND_SECURITY },
  { product: 'NinjaOne', kind: 'rmm', areas: ['services', 'updates', 'antimalware', 'encryption'] },
  { product: 'N-able N-central', kind: 'rmm', areas: ['services', 'updates', 'antimalware', 'encryption'] },
  { product: 'N-able N-sight', kind: 'rmm', areas: ['services', 'updates', 'antimalware', 'encryption'] },
  { product: 'N-able Take Control', kind: 'remote_control', areas: [] },
  { product: 'Kaseya VSA', kind: 'rmm', areas: RMM_AND_SECURITY },
  { product: 'Kaseya VSA X', kind: 'rmm', areas: RMM_AND_SECURITY },
  { product: 'Atera', kind: 'rmm', areas: RMM },
  { product: 'Syncro', kind: 'rmm', areas: RMM_AND_SECURITY },
  { product: 'Action1', kind: 'rmm', areas: ['updates'] },
  { product: 'Tactical RMM', kind: 'rmm', areas: RMM },
  { product: 'MeshCentral', kind: 'remote_control', areas: [] },
  { product: 'TeamViewer', kind: 'remote_control', areas: [] },
  { product: 'AnyDesk', kind: 'remote_control', areas: [] },
  { product: 'Splashtop', kind: 'remote_control', areas: [] },
  { product: 'LogMeIn', kind: 'remote_control', areas: ['updates'] },
  { product: 'GoTo Resolve', kind: 'rmm', areas: RMM },
  { product: 'BeyondTrust', kind: 'remote_control', areas: [] },
  { product: 'Pulseway', kind: 'rmm', areas: RMM_AND_SECURITY },
  { product: 'Level', kind: 'rmm', areas: RMM },
  { product: 'SuperOps', kind: 'rmm', areas: RMM_AND_SECURITY },
  { product: 'Naverisk', kind: 'rmm', areas: RMM },
  { product: 'Microsoft Intune', kind: 'mdm', areas: MDM },
  { product: 'RustDesk', kind: 'remote_control', areas: [] },
  { product: 'Zoho Assist', kind: 'remote_control', areas: [] },
  { product: 'ManageEngine Endpoint Central', kind: 'mdm', areas: ['services', ...MDM] },
  { product: 'ITarian', kind: 'rmm', areas: RMM_AND_SECURITY },
  { product: 'SimpleHelp', kind: 'remote_control', areas: [] },
  { product: 'Jamf Pro', kind: 'mdm', areas: MDM },
  { product: 'Addigy', kind: 'mdm', areas: MDM },
  { product: 'Kandji', kind: 'mdm', areas: MDM },
];
