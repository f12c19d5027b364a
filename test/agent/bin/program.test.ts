import { existsSync, readFileSync, statSync } from 'node:fs';
import { CHECK_NAMES } from '@sitewarden/agent-proto/checks';
import t from 'tap';
import { createProgram } from '../../../agent/bin/commands/program.ts';
import { type AgentHome, makeAgentHome } from '../helpers/agent-process.ts';
import { startTestAppliance } from '../helpers/test-appliance.ts';
import { until } from '../helpers/wait.ts';

function home(t: Pick<typeof import('tap').t, 'teardown'>, config = ''): AgentHome {
  const made = makeAgentHome(config);
  t.teardown(() => made.remove());
  return made;
}

t.test('every command and option has a text', async (t) => {
  const look = (command: ReturnType<typeof createProgram>): void => {
    t.not(command.description(), '', command.name());
    for (const option of command.options) t.not(option.description, '', `${command.name()} ${option.flags}`);
    for (const inner of command.commands) look(inner as typeof command);
  };
  look(createProgram());
});

t.test('an agent without an identity does not run, and says what to do', async (t) => {
  const { code, stderr } = await home(t).call('run');
  t.equal(code, 3);
  t.match(stderr, /NOT_ENROLLED: .*enroll --token-file/);
});

t.test('a configuration with faults is refused with every one of them', async (t) => {
  const agent = home(t, 'queu:\n  maxRows: 5\nlogLevel: loud\n');
  const { code, stderr } = await agent.call('config', 'check');
  t.equal(code, 2);
  t.match(stderr, /CONFIG_INVALID/);
  t.match(stderr, /agent\.yaml:4:1: queu: unknown key `queu` \(did you mean `queue`\?\)/);
  t.match(stderr, /logLevel: must be one of/);
});

t.test('a good configuration is fine, and a file that is not there is named', async (t) => {
  const agent = home(t);
  t.match(await agent.call('config', 'check'), { code: 0, stdout: /is fine/ });
  t.match(await agent.call('--config', '/nonexistent/agent.yaml', 'config', 'check'), {
    code: 2,
    stderr: /CONFIG_UNREADABLE/,
  });
});

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
    await until('the good word', async () => /connected to the appliance/.test((await agent.call('status')).stdout));
    const environment = readFileSync(`/proc/${running.child.pid}/environ`, 'utf8');
    t.notOk(environment.includes(token));
    const second = await agent.call('run');
    t.match(second, { code: 1, stderr: /FILE_LOCKED/ }, 'a second one is refused');
    running.child.kill(signal);
    t.equal((await running.ended).code, 0, signal);
    t.match(running.output(), /"part":"queue".*"msg":"stopped"/);
  }
  t.match(await agent.call('status', '--json'), { code: 0, stdout: /"state":"stopped"/ });
});

t.test('a token comes over standard input too', async (t) => {
  const site = await startTestAppliance();
  t.teardown(() => site.stop());
  const agent = home(t);
  const content = readFileSync(site.tokenFile(), 'utf8');
  t.match(await agent.callWith(content, 'enroll', '--token-file', '-'), { code: 0, stdout: /^Enrolled as agt_1/ });
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

t.test('check prints every check for people and as JSON, and leaves nothing behind', async (t) => {
  const agent = home(t);
  const { code, stdout } = await agent.call('check', '--json', '--service', 'no-such-service');
  t.equal(code, 0);
  const outcomes = JSON.parse(stdout) as { check: string; subject: string; status: string }[];
  t.strictSame(new Set(outcomes.map(({ check }) => check)), new Set(CHECK_NAMES));
  t.match(
    outcomes.find(({ check }) => check === 'services'),
    { subject: 'no-such-service', status: 'fail' },
  );
  t.equal(existsSync(agent.dataDir), false);
  const text = (await agent.call('check')).stdout;
  t.match(text, /Disk encryption: /);
  t.match(text, /Expected: /);
});

t.test('config keys lists what a configuration may hold', async (t) => {
  const { stdout } = await home(t).call('config', 'keys');
  for (const key of ['applianceAddress', 'dataDir', 'queue.maxRows', 'overrides.checkIntervalMs']) {
    t.match(stdout, new RegExp(`^${key} \\(`, 'm'));
  }
});

t.test('the data folder holds nothing that others can read', async (t) => {
  const site = await startTestAppliance();
  t.teardown(() => site.stop());
  const agent = home(t);
  await agent.call('enroll', '--token-file', site.tokenFile());
  t.equal(statSync(agent.dataDir).mode & 0o077, 0);
});
