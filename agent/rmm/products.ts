export interface RmmProduct {
  readonly product: string;
  /** /proc/PID/comm, cut by the kernel at 15 characters. */
  readonly processes: readonly string[];
  /** Installed when one of these is there. */
  readonly paths: readonly string[];
}

/** Remote management and remote control tools with a Linux agent. Two on one workstation fight over it. */
export const RMM_PRODUCTS: readonly RmmProduct[] = [
  {
    product: 'ConnectWise Automate',
    processes: ['ltechagent', 'ltupdate'],
    paths: ['/usr/local/ltechagent', '/opt/ltechagent'],
  },
  { product: 'ConnectWise ScreenConnect', processes: ['screenconnect'], paths: ['/opt/screenconnect'] },
  { product: 'Datto RMM', processes: ['CagService', 'cagservice', 'AEMAgent'], paths: ['/opt/CentraStage'] },
  {
    product: 'NinjaOne',
    processes: ['ninjarmm-linage', 'ninjarmm-agent'],
    paths: ['/opt/NinjaRMMAgent'],
  },
  { product: 'N-able N-central', processes: ['nagent'], paths: ['/usr/sbin/nagent', '/opt/n-able'] },
  { product: 'Atera', processes: ['AteraAgent'], paths: ['/opt/AteraAgent'] },
  { product: 'Kaseya VSA', processes: ['kaseyad', 'KaUsrTsk'], paths: ['/opt/Kaseya'] },
  {
    product: 'Tactical RMM',
    processes: ['tacticalagent'],
    paths: ['/usr/local/bin/tacticalagent', '/opt/tacticalagent'],
  },
  { product: 'MeshCentral', processes: ['meshagent'], paths: ['/usr/local/mesh_services/meshagent', '/opt/meshagent'] },
  { product: 'Action1', processes: ['action1_agent'], paths: ['/opt/action1'] },
  { product: 'Splashtop', processes: ['SRStreamer', 'SRAgent'], paths: ['/opt/splashtop-streamer'] },
  { product: 'TeamViewer', processes: ['teamviewerd'], paths: ['/opt/teamviewer'] },
  { product: 'AnyDesk', processes: ['anydesk'], paths: ['/usr/bin/anydesk'] },
  { product: 'RustDesk', processes: ['rustdesk'], paths: ['/usr/bin/rustdesk'] },
];
