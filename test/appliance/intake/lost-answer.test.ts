import { writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Test } from 'tap';
import t from 'tap';
import { agents } from '../../../appliance/store/index.ts';
import { makeAgentHome } from '../../agent/helpers/agent-process.ts';
import { type IntakeFixture, startIntake } from '../helpers/intake-fixture.ts';

/** A way to the box; once cut, nothing of the box gets back and every connection ends. */
async function startWay(t: Test, to: string) {
  const [host, port] = to.split(':') as [string, string];
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect({ host, port: Number(port) });
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.once('close', () => {
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far);
    far.pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut() {
      for (const socket of sockets) socket.destroy();
      sockets.clear();
    },
  };
}

/** An agent's machine with a token file that leads through the way. */
function makeMachine(t: Test, fixture: IntakeFixture, applianceAddress: string) {
  const home = makeAgentHome();
  t.teardown(() => home.remove());
  const { token, siteCaSha256 } = fixture.admin.createEnrollToken();
  const tokenFile = join(home.dir, 'token.json');
  const text = JSON.stringify({ applianceAddress, token, caFingerprint: `sha256:${siteCaSha256}` });
  writeFileSync(tokenFile, text, { mode: 0o600 });
  return { home, enroll: () => home.call('enroll', '--token-file', tokenFile) };
}

/** Runs when the agent is on file and its answer not yet on the wire. */
const whenEnrolled = (fixture: IntakeFixture, act: () => void) => {
  const off = fixture.ctx.signals.on('change', () => {
    off();
    act();
  });
};

t.test('an agent whose answer is lost on the way enrols with the same token as the same agent', async (t) => {
  const fixture = await startIntake(t);
  const way = await startWay(t, fixture.address);
  const { enroll } = makeMachine(t, fixture, way.address);
  whenEnrolled(fixture, way.cut);
  t.not((await enroll()).code, 0);
  const [lost] = agents.list(fixture.ctx.db);
  t.ok(lost, 'the box has it');
  t.match(await enroll(), { code: 0, stdout: new RegExp(`^Enrolled as ${lost?.id}`) });
  t.equal(agents.list(fixture.ctx.db).length, 1, 'and no orphan stays behind');
});

t.test('an agent killed between request and answer enrols with the same token as the same agent', async (t) => {
  const fixture = await startIntake(t);
  const way = await startWay(t, fixture.address);
  const { home, enroll } = makeMachine(t, fixture, way.address);
  const first = home.start('enroll', '--token-file', join(home.dir, 'token.json'));
  whenEnrolled(fixture, () => {
    first.child.kill('SIGKILL');
    way.cut();
  });
  await first.ended;
  t.equal(first.child.signalCode, 'SIGKILL');
  const [lost] = agents.list(fixture.ctx.db);
  t.match(await enroll(), { code: 0, stdout: new RegExp(`^Enrolled as ${lost?.id}`) });
  t.equal(agents.list(fixture.ctx.db).length, 1);
});
