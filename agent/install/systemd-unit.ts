import type { Layout } from './layout.ts';
import { serviceArgs } from './layout.ts';

/**
 * Root, because disk encryption, the firewall and services of others are asked, and restarted in the higher tiers. What
 * the agent may be ordered to do includes the installation of updates, so the system is not read-only to it
 * (ProtectSystem) and its children may set file modes (RestrictSUIDSGID); all else that it never needs is taken away.
 */
export function systemdUnit(layout: Layout): string {
  const command = [...layout.command, ...serviceArgs(layout)].map(quote).join(' ');
  return `[Unit]
Description=Sitewarden agent: checks this workstation and reports to the appliance of its site
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart=${command}
# 2: the configuration has to be corrected. 4: the site removed this agent. 5, another version in its place, is started.
RestartPreventExitStatus=2 4
Restart=on-failure
RestartSec=30
TimeoutStopSec=15
Nice=5
Environment=MALLOC_ARENA_MAX=2
NoNewPrivileges=true
PrivateTmp=true
ProtectHome=read-only
ProtectKernelTunables=true
ProtectKernelModules=true
ProtectKernelLogs=true
ProtectControlGroups=true
ProtectClock=true
ProtectHostname=true
LockPersonality=true
RestrictRealtime=true
RestrictNamespaces=true
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
CapabilityBoundingSet=~CAP_SYS_BOOT CAP_SYS_RAWIO CAP_MAC_ADMIN CAP_MAC_OVERRIDE CAP_BPF CAP_PERFMON CAP_AUDIT_CONTROL CAP_LINUX_IMMUTABLE

[Install]
WantedBy=multi-user.target
`;
}

/** As systemd.service(5) reads a command line: C escapes in double quotes, % and $ doubled. */
function quote(word: string): string {
  const escaped = word.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[A-Za-z0-9_./:=@%+-]+$/.test(escaped) ? escaped : `"${escaped}"`;
}
