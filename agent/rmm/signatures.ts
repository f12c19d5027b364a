/** Traces of one tool on one operating system. All in lower case but paths; `*` stands for any run of characters. */
export interface Traces {
  /** Short names of services of Windows. */
  readonly services?: readonly string[];
  /** Names of programs; with a separator in it, the whole path. On Linux the kernel cuts names at 15 characters. */
  readonly processes?: readonly string[];
  /** Installed when one is there. A star only in the last part. %Name% is a variable of Windows. */
  readonly paths?: readonly string[];
  /** Display names of the uninstall keys of Windows; names of packages on Linux, which tell the version and no more. */
  readonly programs?: readonly string[];
}

export interface Signature {
  readonly product: string;
  readonly win32?: Traces;
  readonly linux?: Traces;
  readonly darwin?: Traces;
}

const pf = (folder: string): string[] => [`%ProgramFiles%\\${folder}`, `%ProgramFiles(x86)%\\${folder}`];

/** How each tool shows. Names that other programs have too (agent.exe) are left out, or asked for with their folder. */
export const SIGNATURES: readonly Signature[] = [
  {
    product: 'ConnectWise Automate',
    win32: {
      services: ['ltservice', 'ltsvcmon'],
      processes: ['ltsvc.exe', 'ltsvcmon.exe', 'lttray.exe'],
      paths: ['%SystemRoot%\\LTSvc\\LTSVC.exe'],
      programs: ['connectwise automate*', 'labtech*'],
    },
    linux: { processes: ['ltechagent', 'ltupdate'], paths: ['/usr/local/ltechagent', '/opt/ltechagent'] },
    darwin: { processes: ['ltechagent'], paths: ['/usr/local/ltechagent'] },
  },
  {
    product: 'ConnectWise RMM',
    win32: {
      services: ['itsplatform', 'itsplatformmanager', 'saazapsc', 'saazservermonitor*', 'saazremotesupport'],
      processes: ['platform-agent-core.exe', 'platform-agent-manager.exe', 'saazapsc.exe'],
      paths: [...pf('ITSPlatform'), ...pf('SAAZOD')],
      programs: ['itsplatform*'],
    },
    linux: { processes: ['platform-agent-'], paths: ['/opt/continuum'] },
    darwin: { processes: ['platform-agent-core'], paths: ['/opt/continuum'] },
  },
  {
    product: 'ConnectWise ScreenConnect',
    win32: {
      services: ['screenconnect client (*'],
      processes: ['screenconnect.clientservice.exe', 'screenconnect.windowsclient.exe'],
      paths: pf('ScreenConnect Client (*'),
      programs: ['screenconnect client*', 'connectwise control client*'],
    },
    linux: { processes: ['screenconnect'], paths: ['/opt/screenconnect*', '/opt/connectwisecontrol*'] },
    darwin: { paths: ['/opt/screenconnect*', '/opt/connectwisecontrol*'] },
  },
  {
    product: 'Datto RMM',
    win32: {
      services: ['cagservice'],
      processes: ['cagservice.exe', 'aemagent.exe'],
      paths: [...pf('CentraStage'), '%ProgramData%\\CentraStage'],
      programs: ['datto rmm*', 'centrastage*'],
    },
    linux: { processes: ['cagservice', 'aemagent'], paths: ['/opt/CentraStage'] },
    darwin: { processes: ['aem agent'], paths: ['/Applications/AEM Agent.app', '/usr/local/share/CentraStage'] },
  },
  {
    product: 'NinjaOne',
    win32: {
      services: ['ninjarmmagent'],
      processes: ['ninjarmmagent.exe', 'ninjarmmagentpatcher.exe'],
      paths: ['%ProgramData%\\NinjaRMMAgent'],
      programs: ['ninjarmm*', 'ninjaone*'],
    },
    linux: {
      processes: ['ninjarmm-linage', 'ninjarmm-agent'],
      paths: ['/opt/NinjaRMMAgent'],
      programs: ['ninjarmm*', 'ninjaone*'],
    },
    darwin: { processes: ['ninjarmm-macagent'], paths: ['/Applications/NinjaRMMAgent'] },
  },
  {
    product: 'N-able N-central',
    win32: {
      services: ['windows agent service', 'windows agent maintenance service'],
      processes: ['*\\n-able technologies\\windows agent\\bin\\agent.exe'],
      paths: pf('N-able Technologies\\Windows Agent'),
    },
    linux: { processes: ['nagent'], paths: ['/usr/sbin/nagent', '/opt/n-able'], programs: ['nagent*'] },
    darwin: { paths: ['/Applications/Mac_Agent.app', '/Library/N-central Agent'] },
  },
  {
    product: 'N-able N-sight',
    win32: {
      services: ['advanced monitoring agent'],
      processes: ['winagent.exe'],
      paths: [...pf('Advanced Monitoring Agent'), ...pf('Advanced Monitoring Agent GP')],
      programs: ['advanced monitoring agent*'],
    },
    linux: { processes: ['rmmagentd'], paths: ['/usr/local/rmmagent'] },
    darwin: { processes: ['rmmagentd'], paths: ['/usr/local/rmmagent'] },
  },
  {
    product: 'N-able Take Control',
    win32: {
      services: ['basupportexpressstandaloneservice*', 'basupportexpresssrvcupdater*'],
      processes: ['basupsrvc.exe', 'basupapp.exe', 'basupsrvccnfg.exe'],
      paths: [...pf('BeAnywhere Support Express'), '%ProgramData%\\GetSupportService*'],
      programs: ['take control*'],
    },
  },
  {
    product: 'Kaseya VSA',
    win32: {
      services: ['kaseyaagentendpoint', 'kaendpoint', 'kaseya agent*'],
      processes: ['agentmon.exe', 'kausrtsk.exe', 'kaseyaendpoint.exe'],
      paths: pf('Kaseya'),
      programs: ['kaseya agent*'],
    },
    linux: { processes: ['kaseyad', 'kausrtsk'], paths: ['/opt/Kaseya'] },
    darwin: { processes: ['kaseyad', 'kausrtsk'], paths: ['/Library/Kaseya', '/opt/kaseya'] },
  },
  {
    product: 'Kaseya VSA X',
    win32: {
      services: ['vsax*'],
      processes: ['*\\vsa x\\pcmonitorsrv.exe', '*\\vsa x\\pcmontask.exe'],
      paths: pf('VSA X'),
      programs: ['vsa x*'],
    },
    linux: { paths: ['/opt/vsax'], programs: ['vsax*'] },
    darwin: { paths: ['/Applications/VSA X.app', '/Applications/VSA X Manager.app'] },
  },
  {
    product: 'Atera',
    win32: {
      services: ['ateraagent'],
      processes: ['ateraagent.exe', 'agentpackagemonitoring.exe'],
      paths: pf('ATERA Networks\\AteraAgent'),
      programs: ['ateraagent*'],
    },
    linux: { processes: ['ateraagent'], paths: ['/opt/AteraAgent'] },
    darwin: { processes: ['ateraagent'], paths: ['/Applications/AteraAgent.app'] },
  },
  {
    product: 'Syncro',
    win32: {
      services: ['syncro', 'syncroovermind', 'syncrolive', 'syncrorecovery'],
      processes: [
        'syncro.service.exe',
        'syncro.overmind.service.exe',
        'syncro.app.runner.exe',
        'syncrolive.agent.exe',
        'kabuto.service.runner.exe',
      ],
      paths: pf('RepairTech\\Syncro'),
      programs: ['syncro', 'syncro agent*'],
    },
  },
  {
    product: 'Action1',
    win32: {
      services: ['a1agent'],
      processes: ['action1_agent.exe', 'action1_remote.exe', 'action1_update.exe'],
      paths: ['%SystemRoot%\\Action1\\action1_agent.exe'],
      programs: ['action1 agent*'],
    },
    linux: { processes: ['action1_agent'], paths: ['/opt/action1'], programs: ['action1*'] },
    darwin: { processes: ['action1_agent'], paths: ['/Library/Application Support/Action1'] },
  },
  {
    product: 'Tactical RMM',
    win32: {
      services: ['tacticalrmm', 'tacticalagent'],
      processes: ['tacticalrmm.exe', 'tacticalagent.exe'],
      paths: pf('TacticalAgent'),
      programs: ['tactical rmm agent*'],
    },
    linux: { processes: ['tacticalagent'], paths: ['/usr/local/bin/tacticalagent', '/opt/tacticalagent'] },
    darwin: { processes: ['tacticalagent'], paths: ['/opt/tacticalagent', '/opt/tacticalrmm'] },
  },
  {
    product: 'MeshCentral',
    win32: {
      services: ['mesh agent', 'mesh agent background service'],
      processes: ['meshagent.exe', 'meshagent32.exe', 'meshagent64.exe'],
      paths: pf('Mesh Agent\\MeshAgent.exe'),
      programs: ['mesh agent*', 'meshcentral*'],
    },
    linux: { processes: ['meshagent'], paths: ['/usr/local/mesh_services/meshagent', '/opt/meshagent'] },
    darwin: { processes: ['meshagent*'], paths: ['/usr/local/mesh_services/meshagent', '/opt/meshagent'] },
  },
  {
    product: 'TeamViewer',
    win32: {
      services: ['teamviewer*'],
      processes: ['teamviewer_service.exe', 'teamviewer.exe'],
      paths: pf('TeamViewer\\TeamViewer.exe'),
      programs: ['teamviewer*'],
    },
    linux: { processes: ['teamviewerd'], paths: ['/opt/teamviewer'], programs: ['teamviewer*'] },
    darwin: {
      processes: ['teamviewer', 'teamviewer_service', 'teamviewerhost'],
      paths: ['/Applications/TeamViewer.app', '/Applications/TeamViewerHost.app'],
    },
  },
  {
    product: 'AnyDesk',
    win32: {
      services: ['anydesk', 'anydesk-*'],
      processes: ['anydesk.exe', 'anydesk-*.exe'],
      paths: pf('AnyDesk*'),
      programs: ['anydesk*'],
    },
    linux: { processes: ['anydesk'], paths: ['/usr/bin/anydesk'], programs: ['anydesk*'] },
    darwin: { processes: ['anydesk'], paths: ['/Applications/AnyDesk.app'] },
  },
  {
    product: 'Splashtop',
    win32: {
      services: ['splashtopremoteservice', 'ssuservice'],
      processes: ['srservice.exe', 'sragent.exe', 'srmanager.exe'],
      paths: pf('Splashtop\\Splashtop Remote\\Server'),
      programs: ['splashtop streamer*', 'splashtop for rmm*'],
    },
    linux: {
      processes: ['srstreamer', 'sragent'],
      paths: ['/opt/splashtop-streamer'],
      programs: ['splashtop-streamer*'],
    },
    darwin: { processes: ['splashtop streamer', 'srstreamerdaemon'], paths: ['/Applications/Splashtop Streamer.app'] },
  },
  {
    product: 'LogMeIn',
    win32: {
      services: ['logmein', 'lmiguardiansvc', 'lmimaint'],
      processes: ['logmein.exe', 'lmiguardiansvc.exe', 'logmeinsystray.exe'],
      paths: pf('LogMeIn\\x64'),
      programs: ['logmein', 'logmein client*', 'logmein control panel*'],
    },
    darwin: { processes: ['logmein'], paths: ['/Library/Application Support/LogMeIn'] },
  },
  {
    product: 'GoTo Resolve',
    win32: {
      services: ['gotoresolve_*'],
      processes: ['gotoresolveservice.exe', 'gotoresolveprocesschecker.exe', 'gotoresolveremotecontrol.exe'],
      paths: pf('GoTo Resolve Unattended'),
      programs: ['goto resolve unattended*'],
    },
    darwin: { paths: ['/Applications/GoTo Resolve*'] },
  },
  {
    product: 'BeyondTrust',
    win32: {
      services: ['bomgar-*', 'bomgar_*', 'bomgarps*'],
      processes: ['bomgar-scc.exe', 'bomgar-scc-*.exe', 'bomgar-pac.exe', 'bomgar-pac-*.exe'],
      paths: ['%ProgramData%\\bomgar-scc-*', ...pf('Bomgar')],
      programs: ['bomgar*', 'beyondtrust remote support*', 'beyondtrust privileged remote access*'],
    },
    darwin: { processes: ['bomgar-scc*'], paths: ['/Applications/.com.bomgar.scc*'] },
  },
  {
    product: 'Pulseway',
    win32: {
      services: ['pc monitor'],
      processes: ['*\\pulseway\\pcmonitorsrv.exe', '*\\pulseway\\pcmonitormanager.exe'],
      paths: pf('Pulseway'),
      programs: ['pulseway*', 'pc monitor*'],
    },
    linux: { processes: ['pcmonitord', 'pulsewayd'], paths: ['/usr/sbin/pcmonitord', '/usr/sbin/pulsewayd'] },
    darwin: { paths: ['/Applications/PC Monitor.app', '/Applications/Pulseway.app'] },
  },
  {
    product: 'Level',
    win32: {
      services: ['level'],
      processes: ['*\\level\\level.exe', 'level-windows-amd64.exe'],
      paths: pf('Level\\level.exe'),
      programs: ['level'],
    },
    linux: { paths: ['/usr/local/bin/level', '/var/lib/level/level.log'] },
    darwin: { paths: ['/usr/local/bin/level'] },
  },
  {
    product: 'SuperOps',
    win32: {
      services: ['superops*'],
      processes: ['superops.exe', 'superopsticket.exe'],
      paths: pf('SuperOps*'),
      programs: ['superops*'],
    },
    darwin: { paths: ['/Applications/SuperOps*', '/Library/superops*'] },
  },
  {
    product: 'Naverisk',
    win32: {
      services: ['naverisk*'],
      processes: ['naveriskagent.exe', 'naverisk.agent*.exe'],
      paths: pf('Naverisk'),
      programs: ['naverisk*'],
    },
  },
  {
    product: 'Microsoft Intune',
    win32: {
      services: ['intunemanagementextension'],
      processes: ['microsoft.management.services.intunewindowsagent.exe'],
      paths: pf('Microsoft Intune Management Extension'),
      programs: ['microsoft intune management extension'],
    },
    linux: { processes: ['intune-daemon'], paths: ['/opt/microsoft/intune'], programs: ['intune-portal'] },
    darwin: { processes: ['intunemdmdaemon'], paths: ['/Library/Intune/Microsoft Intune Agent.app'] },
  },
  {
    product: 'RustDesk',
    win32: {
      services: ['rustdesk'],
      processes: ['rustdesk.exe'],
      paths: pf('RustDesk\\RustDesk.exe'),
      programs: ['rustdesk*'],
    },
    linux: { processes: ['rustdesk'], paths: ['/usr/bin/rustdesk'], programs: ['rustdesk'] },
    darwin: { processes: ['rustdesk'], paths: ['/Applications/RustDesk.app'] },
  },
  {
    product: 'Zoho Assist',
    win32: {
      services: ['zoho assist*', 'zaservice'],
      processes: ['zaservice.exe', 'za_connect.exe', 'zohours.exe', 'zohoursservice.exe'],
      paths: [...pf('ZohoMeeting'), ...pf('Zoho Assist*')],
      programs: ['zoho assist*'],
    },
    linux: { paths: ['/usr/local/ZohoAssist'] },
    darwin: { paths: ['/Applications/Zoho Assist*', '/Library/Application Support/Zoho Assist'] },
  },
  {
    product: 'ManageEngine Endpoint Central',
    win32: {
      services: ['manageengine * - agent', 'manageengine uems*'],
      processes: ['dcagentservice.exe', 'uesagentservice.exe'],
      paths: [...pf('DesktopCentral_Agent'), ...pf('ManageEngine\\UEMS_Agent')],
      programs: ['manageengine * - agent', 'manageengine uems*'],
    },
    linux: {
      processes: ['dcservice'],
      paths: ['/usr/local/desktopcentralagent', '/usr/local/manageengine/uems_agent'],
    },
    darwin: { paths: ['/Library/DesktopCentral_Agent', '/Library/ManageEngine/UEMS_Agent'] },
  },
  {
    product: 'ITarian',
    win32: {
      services: ['itsmservice'],
      processes: ['itsmservice.exe', 'itsmagent.exe'],
      paths: [...pf('ITarian\\Endpoint Manager'), ...pf('COMODO\\Comodo ITSM')],
      programs: ['endpoint manager communication client*', 'comodo client - communication*'],
    },
    linux: { paths: ['/opt/COMODO/itsm-linux', '/opt/itarian'] },
    darwin: { paths: ['/Library/Application Support/itsm'] },
  },
  {
    product: 'SimpleHelp',
    win32: {
      services: ['remote access service'],
      processes: ['*\\jwrapper-remote access\\*', 'simpleservice.exe'],
      paths: ['%ProgramData%\\JWrapper-Remote Access'],
    },
    linux: { paths: ['/opt/JWrapper-Remote Access'] },
    darwin: { paths: ['/Library/Application Support/JWrapper-Remote Access'] },
  },
  { product: 'Jamf Pro', darwin: { processes: ['jamf', 'jamfdaemon'], paths: ['/usr/local/jamf/bin/jamf'] } },
  { product: 'Addigy', darwin: { processes: ['go-agent'], paths: ['/Library/Addigy'] } },
  { product: 'Kandji', darwin: { processes: ['kandji-daemon'], paths: ['/Library/Kandji'] } },
];
