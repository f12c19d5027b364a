import t from 'tap';
import { parseClamVersion, parseVdbTime } from '../../../agent/collect/defender/clamav.ts';
import { ENGINES } from '../../../agent/collect/defender/engines.ts';
import { doubtAbout } from '../../../agent/collect/defender/trust.ts';
import { findTool, skipWithout } from '../../helpers/needs.ts';
import { runOne } from './run-one.ts';

t.test('the build time of a ClamAV database comes from its header', async (t) => {
  const header = 'ClamAV-VDB:16 Mar 2024 04-29 -0400:27216:2056668:90:3f1b...:sig:raynman:1710577740';
  t.equal(parseVdbTime(header), Date.UTC(2024, 2, 16, 8, 29));
  t.equal(parseVdbTime('ClamAV-VDB:07 Sep 2023 09-00 +0200:1:'), Date.UTC(2023, 8, 7, 7, 0));
  for (const bad of ['', 'ClamAV-VDB:16 Foo 2024 04-29 -0400:1:', 'PK\u0003\u0004']) {
    t.equal(parseVdbTime(bad), undefined, bad);
  }
  t.equal(parseClamVersion('ClamAV 1.0.7/27500/Tue Dec 31 09:42:01 2024\n'), '1.0.7');
  t.equal(parseClamVersion('bash: clamd: command not found'), undefined);
});

t.test('no process name is longer than the kernel keeps', async (t) => {
  for (const { name, processes, realtime = [] } of ENGINES) {
    for (const process of [...processes, ...realtime]) t.ok(Buffer.byteLength(process) <= 15, `${name}: ${process}`);
  }
});

const PID_NAMESPACE = ['unshare', '--mount', '--pid', '--fork', '--mount-proc', '--kill-child'];

/** argv in front of a command that finds a real process `name`, with its program in `folder`, run by `uid`. */
function beside({ name, folder, mode = '755', uid }: { name: string; folder: string; mode?: string; uid?: number }) {
  const start = uid === undefined ? '' : `setpriv --reuid=${uid} --regid=${uid} --clear-groups `;
  const script = `mount -t tmpfs -o mode=755 none /opt && mkdir -p ${folder} && cp "$0" ${folder}/${name} &&
    chmod ${mode} ${folder} && (${start}${folder}/${name} 60 >/dev/null 2>&1 &) &&
    until grep -qsx ${name} /proc/[0-9]*/comm; do sleep 0.02; done; "$@"`;
  return [...PID_NAMESPACE, 'sh', '-c', script, findTool('sleep')!];
}
const NEEDS = { tools: ['unshare', 'setpriv', 'mount', 'sleep'], root: true };

t.test('an engine that root runs from where it is installed is found', async (t) => {
  if (skipWithout(t, NEEDS)) return;
  const [outcome] = await runOne('defender', beside({ name: 'falcon-sensor', folder: '/opt/CrowdStrike' }));
  t.match(outcome, { status: 'pass', facts: { engine: 'CrowdStrike Falcon', engine_running: true, realtime: true } });
});

const IMPOSTORS: [why: string, scene: Parameters<typeof beside>[0], reason: RegExp][] = [
  ['run by nobody', { name: 'falcon-sensor', folder: '/opt/CrowdStrike', uid: 65534 }, /another account than root/],
  ['from a folder of anybody', { name: 'falcon-sensor', folder: '/opt/other' }, /not run from where/],
  ['that others can replace', { name: 'falcon-sensor', folder: '/opt/CrowdStrike', mode: '777' }, /Others than root/],
];
for (const [why, scene, reason] of IMPOSTORS) {
  t.test(`a process called like an engine ${why} is not believed: unknown`, async (t) => {
    if (skipWithout(t, NEEDS)) return;
    const [outcome] = await runOne('defender', beside(scene));
    t.match(outcome, { status: 'unknown', reason });
    t.equal(outcome?.facts.engine_running, undefined);
  });
}

t.test('account, place, file and rights decide whether an engine is believed', async (t) => {
  const file = { uid: 0, gid: 0, mode: 0o755 };
  const genuine = { uids: [0, 0, 0, 0], engineUids: [], path: '/opt/CrowdStrike/x', isSameFile: true, chain: [file] };
  const falcon = ENGINES[0]!;
  t.equal(doubtAbout(falcon, genuine), undefined);
  t.match(doubtAbout(falcon, { ...genuine, uids: [0, 1000, 0, 0] }), /another account/);
  t.match(doubtAbout(falcon, { ...genuine, uids: [] }), /another account/);
  t.match(doubtAbout(falcon, { ...genuine, uids: [113, 113, 113, 113] }), /another account/);
  t.equal(doubtAbout(falcon, { ...genuine, uids: [113, 113, 113, 113], engineUids: [113] }), undefined);
  t.match(doubtAbout(falcon, { ...genuine, path: undefined }), /cannot be seen/);
  t.match(doubtAbout(falcon, { ...genuine, path: '/home/x/opt/CrowdStrike/x' }), /not run from where/);
  t.match(doubtAbout(falcon, { ...genuine, isSameFile: false }), /replaced/);
  t.match(doubtAbout(falcon, { ...genuine, chain: [file, { ...file, uid: 1000 }] }), /Others than root/);
  t.match(doubtAbout(falcon, { ...genuine, chain: [file, { ...file, gid: 50, mode: 0o775 }] }), /Others than root/);
  t.equal(doubtAbout(falcon, { ...genuine, chain: [file, { ...file, gid: 50, mode: 0o1775 }] }), undefined, 'sticky');
  t.match(doubtAbout(falcon, { ...genuine, chain: [{ ...file, mode: 0o757 }] }), /Others than root/);
});

t.test('clamd with signatures of unknown age is unknown', async (t) => {
  if (skipWithout(t, NEEDS)) return;
  if (findTool('freshclam') !== undefined) {
    t.pass('ClamAV is really installed here');
    return;
  }
  const scene = [
    'sh',
    '-c',
    'mount -t tmpfs -o mode=755 none /usr/local/sbin && cp "$0" /usr/local/sbin/clamd && exec "$@"',
  ];
  const inside = `(/usr/local/sbin/clamd 60 >/dev/null 2>&1 &) &&
    until grep -qsx clamd /proc/[0-9]*/comm; do sleep 0.02; done; "$@"`;
  const [outcome] = await runOne('defender', [...PID_NAMESPACE, ...scene, findTool('sleep')!, 'sh', '-c', inside, 'x']);
  t.match(outcome, { status: 'unknown', facts: { engine: 'ClamAV', engine_running: true, realtime: false } });
});
