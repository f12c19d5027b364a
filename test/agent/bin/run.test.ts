import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readStatus } from '../../../agent/run/index.ts';
import { type AgentHome, makeAgentHome } from '../helpers/agent-process.ts';
import { startTestAppliance } from '../helpers/test-appliance.ts';
import { until } from '../helpers/wait.ts';

function home(t: Pick<typeof import('tap').t, 'teardown'>, config = ''): AgentHome {
  const made = makeAgentHome(config);
  t.teardown(() => made.remove());
  return made;
}

t.test('enrolled by its token file it runs, tells its status, and ends well on SIGTERM and SIGINT', async (t) => {
  const site = await startTestAppliance();
  t.teardown(() => site.stop());
  const agent = home(t);
  t.match(await agent.call('status'), { code: 0, stdout: /not enrolled/ });
  const tokenFile = site.tokenFile();
  const { token } = JSON.parse(readFileSync(tokenFile, 'utf8'));
  const enrolled = await agent.call('enroll', '--token-file', tokenFile);
  t.match(enrolled, { code: 0, stdout: /^Enrolled as agt_1/ });
  t.equal(existsSync(tokenFile), false);
  t.notOk(`${enrolled.stdout}${enrolled.stderr}`.includes(token));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const reports = site.agent.heartbeats.length;
    const running = agent.run();
    await until('a heartbeat', () => site.agent.heartbeats.length > reports);
    await until('the good word', async () => (await readStatus(agent.dataDir)).state === 'connected');
    const environment = readFileSync(`/proc/${running.child.pid}/environ`, 'utf8');
    t.notOk(environment.includes(token));
    if (signal === 'SIGTERM') {
      t.match(await agent.call('status'), { code: 0, stdout: /connected to the appliance/ });
      t.match(await agent.call('run'), { code: 1, stderr: /FILE_LOCKED/ }, 'a second one is refused');
    }
    running.child.kill(signal);
    t.equal((await running.ended).code, 0, signal);
    t.match(running.output(), /"part":"queue".*"msg":"stopped"/);
  }
  t.match(await agent.call('status', '--json'), { code: 0, stdout: /"state":"stopped"/ });
  const stateFile = join(agent.dataDir, 'state.json');
  const last = JSON.parse(readFileSync(stateFile, 'utf8'));
  writeFileSync(stateFile, JSON.stringify({ ...last, pid: process.pid, connected: true }));
  t.equal((await readStatus(agent.dataDir)).state, 'stopped', 'its pid is another process by now');
});

t.test('with a token file in its configuration it enrolls at the first start', async (t) => {
  const site = await startTestAppliance();
  t.teardown(() => site.stop());
  const tokenFile = site.tokenFile();
  const running = home(t, `tokenFile: ${tokenFile}\n`).run();
  await until('a heartbeat', () => [...site.agents.values()].some(({ heartbeats }) => heartbeats.length > 0));
  t.equal(existsSync(tokenFile), false);
  running.child.kill('SIGTERM');
  t.equal((await running.ended).code, 0);
});

t.test(
  'removed by the appliance it ends with code 4, now and at the next start, until it is enrolled again',
  async (t) => {
    const site = await startTestAppliance();
    t.teardown(() => site.stop());
    const agent = home(t);
    await agent.call('enroll', '--token-file', site.tokenFile());
    const running = agent.run();
    await until('a heartbeat', () => site.agent.heartbeats.length > 0);
    site.remove(site.agent.id);
    t.equal((await running.ended).code, 4);
    t.match(running.output(), /was removed from its site/);
    t.match(await agent.call('run'), { code: 4, stderr: /AGENT_REMOVED: .*Enroll it again/ });
    t.match(await agent.call('status'), { stdout: /removed from its site/ });
    t.match(await agent.call('enroll', '--token-file', site.tokenFile()), { code: 0 });
    const again = agent.run();
    await until('a heartbeat', () => site.agent.heartbeats.length > 0);
    again.child.kill('SIGTERM');
    t.equal((await again.ended).code, 0);
  },
);

t.test('stopped while the appliance is away it ends at once', async (t) => {
  const site = await startTestAppliance();
  const agent = home(t);
  await agent.call('enroll', '--token-file', site.tokenFile());
  await site.stop();
  const running = agent.run();
  await until('a try in vain', () => running.output().includes('no session with the appliance'));
  const beganMs = performance.now();
  running.child.kill('SIGTERM');
  t.equal((await running.ended).code, 0);
  t.ok(performance.now() - beganMs < 4000);
});

t.test('SIGTERM while enrolment waits for the appliance is a stop, not a fault', async (t) => {
  const site = await startTestAppliance();
  const tokenFile = site.tokenFile();
  const token = readFileSync(tokenFile, 'utf8');
  await site.stop();
  const dir = t.testdir({ 'token.json': token });
  const agent = makeAgentHome(`tokenFile: ${dir}/token.json\n`);
  t.teardown(() => agent.remove());
  const { child, ended, output } = agent.run();
  await until('a wait', () => output().includes('enrolment waits'), 20_000);
  child.kill('SIGTERM');
  const { code, stdout, stderr } = await ended;
  t.equal(code, 0);
  t.match(stdout, /start called off/);
  t.notMatch(stdout + stderr, /"level":"error"|AbortError|start failed/);
});
