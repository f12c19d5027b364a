import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import Database from 'better-sqlite3';
import t, { type Test } from 'tap';
import { waitFor } from '../../scripts/lib/wait.ts';
import { reportsOf } from '../helpers/agent-reports.ts';
import { PYTHON, skipWithout } from '../helpers/needs.ts';
import { startSystem } from '../helpers/system.ts';

const PROTO = join(import.meta.dirname, '..', '..', 'agent-proto', 'proto');
const NEEDS = { tools: ['openssl'], pythonModules: ['grpc', 'grpc_tools'] };

type Answer = Record<string, unknown>;

/** The stranger's program; `ask` answers what it says to one command. */
function startStranger(t: Test) {
  const folder = mkdtempSync(join(tmpdir(), 'sitewarden-stranger-'));
  const made = [`--python_out=${folder}`, `--grpc_python_out=${folder}`];
  execFileSync(PYTHON, ['-m', 'grpc_tools.protoc', '-I', PROTO, ...made, 'sitewarden/agent/v1/agent.proto']);
  const child = spawn(PYTHON, [join(import.meta.dirname, 'stranger.py'), folder], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { PATH: process.env.PATH, PYTHONDONTWRITEBYTECODE: '1' },
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  t.teardown(async () => {
    child.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });
  return async (name: string, given: Answer = {}): Promise<Answer> => {
    child.stdin.write(`${JSON.stringify({ do: name, ...given })}\n`);
    const { value } = await lines.next();
    return JSON.parse(String(value ?? '{"failed":"the stranger is gone"}'));
  };
}

t.test('an agent in another language, by the page and the proto alone, lives with the real box', async (t) => {
  if (skipWithout(t, NEEDS)) return;
  const system = await startSystem({ agentTier: 0, requiredServices: ['front-desk'] });
  t.teardown(system.close);
  const { appliance, staff, siteId } = system;
  const boxDir = join(system.base, 'appliance');
  const ask = startStranger(t);
  const tokenFile = await appliance.makeToken();

  t.match(
    await ask('enrol', { token_file: tokenFile, token: 'swt_wrong' }),
    { refused: { status: 'UNAUTHENTICATED', 'error-code': 'ENROLL_TOKEN_INVALID' } },
    'control: a wrong token',
  );
  const enrolled = await ask('enrol', { token_file: tokenFile });
  const agentId = String(enrolled.agentId);
  t.match(enrolled, { agentId: /^agt_/, notAfterMs: Number });
  t.match(await ask('pin_other'), { refused: 'this is not the box' }, 'control: another fingerprint');
  t.match(
    await ask('push', { seq: 1, with_certificate: false }),
    { refused: { status: 'UNAUTHENTICATED', 'error-code': 'CLIENT_CERTIFICATE_NEEDED' } },
    'control: no certificate',
  );

  const welcome = await ask('open');
  t.match(welcome, { agentId, ackedThrough: 0, tier: 'TIER_MONITOR_ONLY', requiredServices: ['front-desk'] });
  t.ok((await ask('beats')).receivedAtMs);
  const checks = welcome.checks as string[];
  t.strictSame(await ask('report', { seq: 1 }), { throughSeq: 1, results: checks.length });
  t.strictSame(await ask('report', { seq: 1 }), { throughSeq: 1, results: checks.length }, 'again');
  t.strictSame(
    reportsOf(boxDir, agentId).map(({ seq }) => seq),
    [1],
    'stored once',
  );
  const shown = await waitFor('the page of the box to have it', async () => {
    const { agents } = (await (await fetch(`${appliance.localUrl}/api/local/agents`)).json()) as { agents: Answer[] };
    return agents.find(({ id, connected }) => id === agentId && connected === true);
  });
  t.match(shown, { hostname: 'stranger', failing: 0 });
  t.match(await (await fetch(appliance.localUrl)).text(), /stranger/);
  const db = new Database(join(boxDir, 'appliance.db'), { readonly: true });
  t.teardown(() => db.close());
  const kept = db.prepare('SELECT check_name, subject, status FROM result_latest WHERE source = ? ORDER BY 1');
  const rows = await waitFor('all results to be assessed', () => {
    const found = kept.all(agentId) as { check_name: string; subject: string }[];
    return found.length === checks.length ? found : undefined;
  });
  t.strictSame(
    rows.map(({ check_name }) => check_name),
    [...checks].sort(),
  );
  t.match(
    rows.find(({ check_name }) => check_name === 'services'),
    { subject: 'front-desk', status: 'pass' },
  );

  await staff.call('PUT', `/api/sites/${siteId}/agents/${agentId}/tier`, { tier: 1 });
  t.match(await ask('next_config'), { tier: 'TIER_SELF_HEAL' }, 'a change reaches it');

  const placed = await staff.call<{ id: string }>('POST', `/api/sites/${siteId}/orders`, {
    action: 'run_check',
    agentId,
  });
  const answered = await ask('answer_order', { seq: 2 });
  t.match(answered, { throughSeq: 2 });
  t.equal(reportsOf(boxDir, agentId).at(-1)?.report.orderId, answered.orderId);
  await waitFor(
    'staff to see it done',
    async () => {
      type Listed = { orders: { id: string; state: string }[] };
      const { orders } = await staff.call<Listed>('GET', `/api/sites/${siteId}/orders`);
      return orders.some(({ id, state }) => id === placed.id && state === 'done');
    },
    60_000,
  );

  t.ok(Number((await ask('renew')).notAfterMs) >= Number(enrolled.notAfterMs));
  t.match(await ask('report', { seq: 3 }), { throughSeq: 3 }, 'the session of the old certificate goes on');
  t.strictSame(await ask('push', { seq: 4 }), { throughSeq: 4 }, 'and the new one works beside it');
  t.match(db.prepare('SELECT count(*) AS n FROM agent_certificate WHERE agent_id = ?').get(agentId), { n: 2 });

  const invalid = (field: string) => ({
    refused: { status: 'INVALID_ARGUMENT', 'error-code': 'MESSAGE_INVALID', 'error-field': field },
  });
  t.match(await ask('push', { seq: 5, results: 257 }), invalid('results'), 'control: 257 results');
  t.match(await ask('push', { seq: 5, reason: 'x'.repeat(1024) }), invalid('results.reason'), 'control: a long text');
  t.match(
    await ask('big', { seq: 5, bytes: 1024 * 1024 }),
    { refused: { status: 'INVALID_ARGUMENT', 'error-code': 'MESSAGE_TOO_LARGE' } },
    'control: more than 1 MiB',
  );
  t.strictSame(
    await ask('big', { seq: 5, bytes: 4 * 1024 * 1024 }),
    { refused: { status: 'RESOURCE_EXHAUSTED' } },
    'control: more than 4 MiB',
  );
  t.strictSame(
    await ask('gap', { seq: 9 }),
    { status: 'FAILED_PRECONDITION', 'error-code': 'REPORT_GAP', 'error-field': 'report.seq', 'expected-seq': '5' },
    'control: a gap',
  );
  t.match(await ask('open'), { ackedThrough: 4 }, 'with the new certificate it goes on where it was');
  t.match(await ask('report', { seq: 5 }), { throughSeq: 5 });
  t.strictSame(await ask('close'), { status: 'OK' });
  t.strictSame(
    reportsOf(boxDir, agentId).map(({ seq }) => seq),
    [1, 2, 3, 4, 5],
  );
});
