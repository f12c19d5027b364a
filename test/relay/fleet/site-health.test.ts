import fc from 'fast-check';
import t from 'tap';
import {
  COSIGN_LATE_MS,
  type EvidenceFacts,
  evidenceState,
  fleetStatus,
  healthRank,
  QUEUE_LATE_MS,
  type SiteFacts,
  siteHealth,
} from '../../../relay/fleet/index.ts';

const NOW = 1_800_000_000_000;
const evidence = (over: Partial<EvidenceFacts> = {}) =>
  evidenceState(
    {
      epoch: 1,
      receivedSize: 10,
      cosignedSize: 10,
      cosignedRoot: 'ab'.repeat(32),
      cosignedAtMs: NOW - 30_000,
      fault: null,
      ...over,
    },
    NOW,
  );

const facts = (over: Partial<SiteFacts> = {}): SiteFacts => ({
  status: fleetStatus({ lastCheckinAtMs: NOW - 20_000, nowMs: NOW }),
  appliance: { state: 'active', claimedAtMs: NOW - 86_400_000 },
  incidents: { critical: 0, high: 0, medium: 0, low: 0, info: 0 },
  needsPerson: { count: 0, oldestAtMs: null },
  oldestSevereAtMs: null,
  oldestAtMs: null,
  checks: { failing: 0, unknown: 0 },
  evidence: evidence(),
  queue: { depth: 0, oldestAgeMs: 0 },
  ...over,
});
const statusAt = (ageMs: number) => fleetStatus({ lastCheckinAtMs: NOW - ageMs, nowMs: NOW });
const health = (over: Partial<SiteFacts> = {}) => siteHealth(facts(over), NOW);
const some = (name: string, count = 1) => ({ ...facts().incidents, [name]: count });

t.test('a fresh box without incidents is ok and asks for nothing', (t) => {
  t.same(health(), {
    health: 'ok',
    reason: 'The box is online: last check-in 20 s ago, no incident is open.',
    sinceMs: null,
    nextStep: '',
  });
  t.end();
});

t.test('each trouble has its own verdict, beginning and next step', (t) => {
  const cases: [string, Partial<SiteFacts>, object][] = [
    [
      'quarantined',
      { appliance: { state: 'quarantined', claimedAtMs: 0 } },
      { health: 'problem', reason: /Two boxes/ },
    ],
    [
      'broken evidence',
      { evidence: evidence({ fault: { code: 'EVIDENCE_PREV', message: 'm', atMs: NOW - 5 } }) },
      { health: 'problem', reason: /EVIDENCE_PREV/, sinceMs: NOW - 5 },
    ],
    ['offline', { status: statusAt(3_600_000) }, { health: 'problem', reason: /offline: last check-in 1 h ago/ }],
    [
      'needs a person',
      { needsPerson: { count: 2, oldestAtMs: 7 } },
      { health: 'problem', sinceMs: 7, reason: /^2 inc/ },
    ],
    ['critical', { incidents: some('critical'), oldestSevereAtMs: 9 }, { health: 'problem', reason: /^1 critical/ }],
    ['stale', { status: statusAt(420_000) }, { health: 'warning', sinceMs: NOW - 120_000 }],
    [
      'no box',
      { appliance: null, status: fleetStatus({ lastCheckinAtMs: null, nowMs: NOW, hasBox: false }) },
      { health: 'unknown', nextStep: /provisioning code/ },
    ],
    [
      'claimed, silent',
      { status: fleetStatus({ lastCheckinAtMs: null, nowMs: NOW }) },
      { health: 'unknown', sinceMs: NOW - 86_400_000, nextStep: /claim doctor/ },
    ],
    ['medium', { incidents: some('medium', 3), oldestAtMs: 4 }, { health: 'warning', sinceMs: 4, reason: /^3 inc/ }],
    ['failing', { checks: { failing: 1, unknown: 0 } }, { health: 'warning', reason: /^1 check fails/ }],
    ['queue', { queue: { depth: 5, oldestAgeMs: QUEUE_LATE_MS + 1 } }, { health: 'warning', reason: /^5 rows wait/ }],
    [
      'cosignature late',
      { evidence: evidence({ cosignedSize: 3, cosignedAtMs: NOW - COSIGN_LATE_MS - 1 }) },
      { health: 'warning', reason: /7 entries not cosigned/ },
    ],
    ['unknown check', { checks: { failing: 0, unknown: 2 } }, { health: 'unknown', reason: /could not be decided/ }],
  ];
  for (const [name, over, expected] of cases) {
    const verdict = health(over);
    t.match(verdict, expected, name);
    t.not(verdict.nextStep, '', `${name}: next step`);
  }
  t.end();
});

t.test('a site is never ok while its box is not online', (t) => {
  fc.assert(
    fc.property(fc.nat(3_000_000), fc.nat(3), fc.nat(3), (ageMs, failing, high) => {
      const verdict = health({
        status: statusAt(ageMs),
        checks: { failing, unknown: 0 },
        incidents: some('high', high),
      });
      const isFine = ageMs < 300_000 && failing === 0 && high === 0;
      return (verdict.health === 'ok') === isFine;
    }),
  );
  t.end();
});

t.test('the cause stands before what it causes', (t) => {
  const verdict = health({
    status: statusAt(3_600_000),
    incidents: some('critical'),
    needsPerson: { count: 1, oldestAtMs: 1 },
  });
  t.match(verdict.reason, /offline/);
  t.end();
});

t.test('what is not fine sorts first', (t) => {
  const all = ['ok', 'unknown', 'warning', 'problem'] as const;
  t.same(
    [...all].sort((a, b) => healthRank(a) - healthRank(b)),
    ['problem', 'warning', 'unknown', 'ok'],
  );
  t.end();
});

t.test('the evidence mark says what is known and no more', (t) => {
  t.match(evidenceState(null, NOW), { mark: 'none', epoch: 0, rootHash: null });
  t.match(evidence({ receivedSize: 0, cosignedSize: 0, cosignedAtMs: null }), { mark: 'none', rootHash: null });
  t.match(evidence(), { mark: 'cosigned', reason: 'cosigned: all 10 entries, last cosigned 30 s ago' });
  t.match(evidence({ cosignedSize: 9 }), { mark: 'pending', reason: /^pending: 1 entry not cosigned yet/ });
  t.match(evidence({ cosignedSize: 12 }), { mark: 'pending', reason: /2 cosigned entries not received yet/ });
  t.match(evidence({ fault: { code: 'X', message: 'Why.', atMs: 1 } }), { mark: 'broken', reason: /\(X\)\. Why\./ });
  t.end();
});
