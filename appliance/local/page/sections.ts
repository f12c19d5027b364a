import { TIERS } from '@sitewarden/agent-proto/checks';
import type { ActionRunState, IncidentRow, IncidentState, LossCode } from '@sitewarden/agent-proto/http';
import { LANES } from '@sitewarden/agent-proto/http';
import type { Tone } from '../headline.ts';
import type { UplinkState } from '../services.ts';
import type { ActionStatus, AgentStatus, LocalStatus } from '../status.ts';
import { bytes, plural, span } from '../words.ts';
import { type Html, html } from './html.ts';
import { badge, card, empty, facts, time } from './parts.ts';

const UPLINK: Record<UplinkState, readonly [Tone, string]> = {
  idle: ['info', 'Not claimed'],
  ok: ['ok', 'In contact'],
  retrying: ['warn', 'Trying again'],
  stopped: ['bad', 'Refused'],
};

const ORDERS: Record<LocalStatus['wake']['state'], string> = {
  off: 'with the next check-in (the wake-up is switched off)',
  waiting: 'with the next check-in (not connected for the wake-up)',
  connected: 'at once',
  refused: 'with the next check-in (the relay refuses the wake-up)',
};

export function relaySection({ uplink, wake, lanes, losses, nowMs }: LocalStatus): Html {
  const [tone, word] = UPLINK[uplink.state];
  const error = uplink.lastError;
  const rows = LANES.map((lane) => {
    const { depth, oldestAgeMs } = lanes[lane];
    return html`<tr><th scope="row">${lane}</th><td>${depth}</td><td>${depth === 0 ? '–' : span(oldestAgeMs)}</td></tr>`;
  });
  const body = html`${facts([
    ['Relay', uplink.relay],
    ['Last check-in', time(uplink.lastCheckinAtMs, nowMs)],
    ['Orders arrive', `${ORDERS[wake.state]}${wake.code === null ? '' : `: ${wake.code}`}`],
    ['Site configuration', uplink.configGeneration === 0 ? 'none yet' : `generation ${uplink.configGeneration}`],
  ])}
${error === null ? html`` : html`<p class="note bad"><strong>${error.code}</strong> ${time(error.atMs, nowMs)}: ${error.message}</p>`}
<table><caption>Waiting to be sent</caption><thead><tr><th scope="col">Lane</th><th scope="col">Rows</th><th scope="col">Oldest</th></tr></thead>
<tbody>${rows}</tbody></table>
${lossTable(losses, nowMs)}`;
  return card('relay', 'Relay', body, badge(tone, word));
}

const LOSSES: Record<LossCode, string> = {
  DISK_FULL: 'left out, the disk was short',
  OUTBOX_ROW_INVALID: 'the relay could not take it',
  RECEIPT_INVALID: 'the relay could not take it',
  RELAY_SET_BACK: 'lost by the relay, told again as it stood',
  DATABASE_DAMAGED: 'in a damaged file, which is kept aside',
  CHECKIN_CHAIN_LOST: 'in a damaged file',
  EVIDENCE_SCHEMA: 'in words that fit no entry',
};

/** Rows where they could be counted, else how often. */
function lossTable(losses: LocalStatus['losses'], nowMs: number): Html {
  if (losses.length === 0) return html`<p class="quiet">Nothing is known to be missing.</p>`;
  const rows = losses.map(
    ({ what, code, events, rows: lost, lastAtMs }) =>
      html`<tr><th scope="row">${what}</th><td>${lost > 0 ? plural(lost, 'row') : plural(events, 'time')}</td><td>${LOSSES[code]}</td><td>${time(lastAtMs, nowMs)}</td></tr>`,
  );
  return html`<table id="losses"><caption>Known to be missing</caption><thead><tr><th scope="col">What</th><th scope="col">How much</th><th scope="col">Why</th><th scope="col">Last</th></tr></thead>
<tbody>${rows}</tbody></table>`;
}

const INCIDENT: Record<IncidentState, readonly [Tone, string]> = {
  open: ['warn', 'Open'],
  healing: ['info', 'Being repaired'],
  needs_person: ['bad', 'Needs a person'],
  resolved: ['ok', 'Resolved'],
};

export function incidentSection({ incidents, nowMs }: LocalStatus): Html {
  const { open, openTotal, resolved } = incidents;
  const rest = openTotal - open.length;
  const body = html`${open.length === 0 ? empty('No open incident.') : html`<ul class="rows">${open.map((one) => incidentRow(one, nowMs))}</ul>`}
${rest > 0 ? html`<p class="quiet">and ${rest} more; the site page of the relay lists them all.</p>` : html``}
${resolved.length === 0 ? html`` : html`<details id="resolved"><summary>Last resolved</summary><ul class="rows">${resolved.map((one) => incidentRow(one, nowMs))}</ul></details>`}`;
  const calm = openTotal === 0;
  return card('incidents', 'Incidents', body, badge(calm ? 'ok' : 'warn', calm ? 'None open' : `${openTotal} open`));
}

function incidentRow(incident: IncidentRow, nowMs: number): Html {
  const { title, host, state, severity, reason, nextStep, openedAtMs, resolvedAtMs } = incident;
  const [tone, word] = INCIDENT[state];
  const since =
    state === 'resolved' ? html`resolved ${time(resolvedAtMs, nowMs)}` : html`since ${time(openedAtMs, nowMs)}`;
  return html`<li><div class="row-head"><strong>${title}</strong>${badge(tone, word)}</div>
<p class="quiet">${host}, severity ${severity}, ${since}</p>
<p>${state === 'resolved' ? reason : withoutAdvice(reason)}</p>${state === 'resolved' ? html`` : html`<p class="next"><span class="next-label">Next:</span> ${nextStep}</p>`}</li>`;
}

/** A reason ends with what to do by hand; below it stands what to do now. */
function withoutAdvice(reason: string): string {
  const at = reason.trimEnd().search(/(?<=[.!?])\s+[^.!?]+[.!?]$/);
  return at > 0 ? reason.slice(0, at) : reason;
}

const ACTION: Record<ActionRunState, readonly [Tone | 'unknown', string]> = {
  started: ['info', 'Running'],
  done: ['info', 'Done, being checked'],
  verified: ['ok', 'Verified'],
  not_verified: ['bad', 'Did not help'],
  failed: ['bad', 'Failed'],
  refused: ['warn', 'Refused'],
  indeterminate: ['unknown', 'Unclear'],
};

export function actionSection({ actions, nowMs }: LocalStatus): Html {
  const rows = actions.map((action) => actionRow(action, nowMs));
  const body =
    rows.length === 0 ? empty('Sitewarden has repaired nothing here yet.') : html`<ul class="rows">${rows}</ul>`;
  return card('actions', 'Last repairs', body);
}

function actionRow(action: ActionStatus, nowMs: number): Html {
  const [tone, word] = ACTION[action.state];
  const what = [action.action.replaceAll('_', ' '), ...Object.values(action.params).map(String)].join(' ');
  return html`<li><div class="row-head"><strong>${what}</strong>${badge(tone, word)}</div>
<p class="quiet">${action.host}, rule ${action.ruleId}, ${time(action.startedAtMs, nowMs)}</p><p>${action.outcome}</p></li>`;
}

export function agentSection({ agents, nowMs }: LocalStatus): Html {
  const { total, connected, failing, list } = agents;
  const rows = list.map((agent) => agentRow(agent, nowMs));
  const body =
    total === 0
      ? empty('No workstation is enrolled. The MSP or the API of this box gives tokens for the agent.')
      : html`<p class="quiet">${connected} of ${total} connected, ${failing === 0 ? 'none with failing checks' : `${failing} with failing checks`}.</p>
<ul class="rows compact">${rows}</ul>`;
  return card('agents', 'Workstations', body, html`<a href="/install/agent">Install the agent</a>`);
}

function agentRow(agent: AgentStatus, nowMs: number): Html {
  const checks =
    agent.failing === 0 ? badge('ok', 'Checks fine') : badge('bad', `${plural(agent.failing, 'check')} failing`);
  const link = agent.connected ? badge('ok', 'Connected') : badge('warn', 'Away');
  return html`<li><div class="row-head"><strong>${agent.hostname}</strong><span class="badges">${link}${agent.connected || agent.failing > 0 ? checks : html``}</span></div>
<p class="quiet">${agent.osVersion || agent.osFamily}, agent ${agent.agentVersion}, ${TIERS[agent.tier]}, heard ${time(agent.lastHeartbeatAtMs, nowMs)}</p></li>`;
}

export function evidenceSection({ evidence, nowMs }: LocalStatus): Html {
  const { size, cosignedSize, epoch, lastEntryAtMs, waiting } = evidence;
  const rows = facts([
    ['Entries', size],
    ['Cosigned by the relay', cosignedSize],
    ['Last entry', time(lastEntryAtMs, nowMs)],
    ['Waiting to become entries', waiting],
    ['Epoch', epoch],
  ]);
  return card('evidence', 'Evidence', rows, evidenceMark(evidence));
}

function evidenceMark({ size, cosignedSize, waiting, isHalted }: LocalStatus['evidence']): Html {
  if (isHalted) return badge('bad', 'Stands still');
  if (size === 0) return badge('unknown', 'Empty');
  if (waiting > 0) return badge('info', `${plural(waiting, 'change')} not yet written`);
  if (cosignedSize === size) return badge('ok', 'All cosigned');
  return badge('info', `${plural(size - cosignedSize, 'entry', 'entries')} not yet cosigned`);
}

/** Nothing seen and nowhere looked are two things. */
function noDevices({ isEnabled, networks, interfaces }: LocalStatus['discovery']): string {
  if (!isEnabled) return 'Nobody looks for devices: discovery.enabled is false in the configuration of this box.';
  if (networks.length > 0) return 'No device has been seen on the network yet.';
  return interfaces === undefined
    ? 'No private network to look at; set discovery.interfaces in the configuration of this box.'
    : 'No network to look at: none of discovery.interfaces has an IPv4 address. Correct the names.';
}

export function deviceSection({ devices, discovery, nowMs }: LocalStatus): Html {
  if (devices.total === 0) return card('devices', 'Devices', empty(noDevices(discovery)));
  const rows = devices.list.map(
    (
      device,
    ) => html`<li><div class="row-head"><strong>${device.name ?? device.addresses[0] ?? device.mac ?? device.id}</strong>
<span class="quiet">${time(device.lastSeenMs, nowMs)}</span></div>
<p class="quiet">${[...device.addresses, device.mac ?? '', ...device.services].filter(Boolean).join(', ')}</p></li>`,
  );
  const more = devices.total - devices.list.length;
  const body = html`<p class="quiet">${plural(devices.total, 'device')} seen on the network of this site.</p>
<details id="device-list"><summary>Show them</summary><ul class="rows compact">${rows}</ul>${more > 0 ? html`<p class="quiet">and ${more} more.</p>` : html``}</details>`;
  return card('devices', 'Devices', body);
}

export function boxSection({ identity, claim, host, nowMs }: LocalStatus): Html {
  const { facts: sensed, disk } = host;
  const number = (name: string): number | undefined => {
    const value = sensed[name];
    return typeof value === 'number' ? value : undefined;
  };
  const rows: (readonly [string, Html | string | number])[] = [
    ['Serial', identity.serial],
    ['Model', identity.model],
    ['Version', identity.version],
    ['Host name', identity.host],
    ['Appliance', claim.site === null ? 'none until it is claimed' : html`<code>${claim.site.applianceId}</code>`],
    ['Key fingerprint', html`<code>${identity.fingerprint}</code>`],
  ];
  if (claim.site !== null) {
    const { siteName, partnerName, claimedBy, claimedAtMs } = claim.site;
    rows.push(['Site', `${siteName}, looked after by ${partnerName}`]);
    rows.push(['Claimed', html`by ${claimedBy}, ${time(claimedAtMs, nowMs)}`]);
  }
  const cpu = number('cpu_percent');
  if (cpu !== undefined) rows.push(['Processor', `${cpu} % busy`]);
  const [used, all] = [number('memory_used_bytes'), number('memory_total_bytes')];
  if (used !== undefined && all !== undefined) rows.push(['Memory', `${bytes(used)} of ${bytes(all)} used`]);
  if (disk.totalBytes > 0) rows.push(['Disk', `${bytes(disk.freeBytes)} of ${bytes(disk.totalBytes)} free`]);
  const uptimeS = number('uptime_s');
  if (uptimeS !== undefined) rows.push(['Running for', span(uptimeS * 1000)]);
  const temperature = number('temperature_c');
  if (temperature !== undefined) rows.push(['Temperature', `${temperature} °C`]);
  rows.push(['Clock', host.isClockSynced ? 'set by NTP' : 'not set by NTP']);
  rows.push(['Measured', time(host.takenAtMs, nowMs)]);
  return card('box', 'This box', facts(rows));
}
