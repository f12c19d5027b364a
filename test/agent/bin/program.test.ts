import { existsSync, readFileSync, statSync } from 'node:fs';
import { CHECK_NAMES } from '@sitewarden/agent-proto/checks';
import t from 'tap';
import { createProgram } from '../../../agent/bin/commands/program.ts';
import { type AgentHome, makeAgentHome } from '../helpers/agent-process.ts';
import { startTestAppliance } from '../helpers/test-appliance.ts';

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

t.test('an address that is none is answered with what one looks like', async (t) => {
  for (const address of ['foo', '127.0.0.1:99999', '127.0.0.1:0', 'box:65536']) {
    const { code, stderr } = await home(t, `applianceAddress: ${address}\n`).call('config', 'check');
    t.equal(code, 2, address);
    t.match(stderr, /applianceAddress: must be host:port, port 1 to 65535, but is /, address);
    t.notMatch(stderr, /\^\(/, address);
  }
  for (const address of ['box:1', '"[::1]:65535"', '192.0.2.1:50051']) {
    t.match(await home(t, `applianceAddress: ${address}\n`).call('config', 'check'), { code: 0 }, address);
  }
});

t.test('a good configuration is fine, and a file that is not there is named', async (t) => {
  const agent = home(t);
  t.match(await agent.call('config', 'check'), { code: 0, stdout: /is fine/ });
  t.match(await agent.call('--config', '/nonexistent/agent.yaml', 'config', 'check'), {
    code: 2,
    stderr: /CONFIG_UNREADABLE/,
  });
});

t.test('a token comes over standard input too', async (t) => {
  const site = await startTestAppliance();
  t.teardown(() => site.stop());
  const agent = home(t);
  const content = readFileSync(site.tokenFile(), 'utf8');
  t.match(await agent.callWith(content, 'enroll', '--token-file', '-'), { code: 0, stdout: /^Enrolled as agt_1/ });
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
