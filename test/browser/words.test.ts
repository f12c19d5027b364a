import { existsSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CHECK_NAMES, CHECK_STATUSES, CHECKS, SEVERITIES, TIERS } from '@sitewarden/agent-proto/checks';
import { ACTION_RUN_STATES, INCIDENT_STATES, ORDER_STATES, PROVISION_STATES } from '@sitewarden/agent-proto/http';
import t from 'tap';
import { INVITE_STATES } from '../../relay/accounts/index.ts';
import { ROLES } from '../../relay/lib/roles.ts';
import { CODE_STATES, EVIDENCE_MARKS, FLEET_STATUSES, SITE_HEALTHS } from '../../relay/routes/contract/views.ts';
import { formatBytes, formatDuration, formatRelative, plural } from '../../relay/web/src/clock/format.ts';
import { sitesCsv } from '../../relay/web/src/pages/sites/sites-csv.ts';
import { CHECK_STATUS, CHECK_TITLES } from '../../relay/web/src/words/checks.ts';
import { INVITE_STATE, ROLE_WORDS } from '../../relay/web/src/words/people.ts';
import { EVIDENCE, FLEET, HEALTH, SEVERITY } from '../../relay/web/src/words/status.ts';
import type { Sign } from '../../relay/web/src/words/tone.ts';
import {
  CLAIM_STATE,
  CODE_STATE,
  entryWords,
  INCIDENT_STATE,
  ORDER_STATE,
  RUN_STATE,
  TIERS as TIER_WORDS,
} from '../../relay/web/src/words/work.ts';

const web = join(import.meta.dirname, '..', '..', 'relay', 'web');

t.test('the pages have a word for every value of the contract, and none besides', async (t) => {
  const pairs: [string, readonly string[], Record<string, Sign>][] = [
    ['check status', CHECK_STATUSES, CHECK_STATUS],
    ['severity', SEVERITIES, SEVERITY],
    ['incident state', INCIDENT_STATES, INCIDENT_STATE],
    ['action run state', ACTION_RUN_STATES, RUN_STATE],
    ['order state', ORDER_STATES, ORDER_STATE],
    ['claim state', PROVISION_STATES, CLAIM_STATE],
    ['code state', CODE_STATES, CODE_STATE],
    ['invite state', INVITE_STATES, INVITE_STATE],
    ['evidence mark', EVIDENCE_MARKS, EVIDENCE],
    ['fleet status', FLEET_STATUSES, FLEET],
    ['health', SITE_HEALTHS, HEALTH],
  ];
  for (const [name, values, words] of pairs) t.strictSame(Object.keys(words).toSorted(), [...values].toSorted(), name);
  t.strictSame(Object.keys(ROLE_WORDS).toSorted(), [...ROLES].toSorted());
  t.strictSame(Object.keys(CHECK_TITLES).toSorted(), [...CHECK_NAMES].toSorted());
  for (const name of CHECK_NAMES) t.equal(CHECK_TITLES[name], CHECKS[name].title);
  t.strictSame(
    TIER_WORDS.map(({ name }) => name),
    [...TIERS],
  );
});

t.test('unknown looks like neither pass nor fail', async (t) => {
  const { pass, fail, unknown } = CHECK_STATUS;
  for (const other of [pass, fail]) {
    t.not(unknown.tone, other.tone);
    t.not(unknown.icon, other.icon);
    t.not(unknown.word, other.word);
  }
});

t.test('durations are as exact as a person needs', async (t) => {
  const min = 60_000;
  const cases: [number, string][] = [
    [-5, '0 s'],
    [59_999, '59 s'],
    [min, '1 min'],
    [59.9 * min, '59 min'],
    [125 * min, '2 h 5 min'],
    [24 * 60 * min, '1 d'],
    [30 * 60 * min, '1 d 6 h'],
    [11.5 * 24 * 60 * min, '11 d'],
  ];
  for (const [ms, text] of cases) t.equal(formatDuration(ms), text);
  t.equal(formatRelative(1000, 1000 + 7 * min), '7 min ago');
  t.equal(formatRelative(1000 + 9 * min, 1000), 'in 9 min');
  t.equal(formatRelative(1000, 1500), 'just now');
  t.equal(formatBytes(1536), '1.5 KiB');
  t.equal(plural(1, 'site'), '1 site');
  t.equal(plural(1200, 'site'), '1,200 sites');
});

t.test('an exported cell is data and never a formula', async (t) => {
  const counts = { critical: 0, high: 0, medium: 0, low: 0, info: 0 };
  const site = {
    name: '=HYPERLINK("http://x")',
    clientName: 'A "quoted", name',
    reason: 'two\nlines',
    nextStep: '',
    health: 'ok' as const,
    sinceMs: null,
    status: { value: 'online' as const, ageMs: 5000, sinceMs: null, reason: '' },
    incidents: counts,
    agents: { total: 1, ok: 1, failing: 0, away: 0 },
    queue: { depth: 0, oldestAgeMs: 0 },
    evidence: { mark: 'none' as const, lastCosignedAtMs: null },
    id: 'site_x',
  };
  const csv = sitesCsv([site as unknown as Parameters<typeof sitesCsv>[0][number]], 65_000);
  t.match(csv, `"'=HYPERLINK(""http://x"")"`);
  t.match(csv, '"A ""quoted"", name"');
  t.match(csv, '"two\nlines"');
  t.match(csv, '1970-01-01T00:01:00.000Z');
});

t.test('the pages import nothing of the relay and fetch nothing from elsewhere', async (t) => {
  const files = (await readdir(join(web, 'src'), { recursive: true })).filter(
    (name) => /\.(tsx?|css)$/.test(name) && !name.endsWith('schema.d.ts'),
  );
  t.ok(files.length > 100);
  for (const name of files) {
    const text = readFileSync(join(web, 'src', name), 'utf8');
    t.notMatch(text, /from '@sitewarden\/|from '(\.\.\/)+(relay|agent|appliance|kit)\//, name);
    if (name.endsWith('.css')) t.notMatch(text, /url\(|https?:/, name);
    else t.notMatch(text, /https?:\/\/(?!sitewarden\.local:8080)/, name);
  }
});

t.test('the built page runs no inline script', { skip: !existsSync(join(web, 'dist', 'index.html')) }, async (t) => {
  const html = readFileSync(join(web, 'dist', 'index.html'), 'utf8');
  t.notMatch(html, /<script(?![^>]*\ssrc=)/);
  t.notMatch(html, /\son[a-z]+=/);
  t.notMatch(html, /(src|href)="(?!\/)/);
});

t.test('an entry of the evidence says nothing twice', async (t) => {
  const words = (kind: string, outcome: string) => {
    const said = entryWords({ kind, outcome });
    return `${said.kind} ${said.outcome}`.trim();
  };
  t.equal(words('action_verified', 'verified'), 'Action verified');
  t.equal(words('incident_opened', 'open'), 'Incident opened');
  t.equal(words('incident_needs_person', 'needs_person'), 'Incident needs person');
  t.equal(words('action_failed', 'UNIT_NOT_FOUND'), 'Action failed UNIT NOT FOUND');
});
