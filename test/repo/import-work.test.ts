import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { ROOT, sourceFiles } from './sources.ts';

/** Loads modules where writing, spawning and worker threads are forbidden, and says what is left running afterwards. */
function load(files: string[]): { left: string[]; output: string } {
  const script = `
    for (const file of ${JSON.stringify(files.map((file) => join(ROOT, file)))}) await import(file);
    console.log('LEFT ' + JSON.stringify(process.getActiveResourcesInfo().filter((name) => !/^(TTYWrap|PipeWrap|FSReqPromise|CloseReq|FSReqCallback)$/.test(name))));
    setTimeout(() => process.exit(3), 3000).unref();
  `;
  // The test runner hands its own loader to child processes through NODE_OPTIONS; here nothing but the modules may load.
  const output = execFileSync(
    'env',
    [
      '-u',
      'NODE_OPTIONS',
      process.execPath,
      '--permission',
      '--allow-fs-read=*',
      '--allow-addons',
      '--disable-warning=SecurityWarning',
      '--input-type=module',
      '-e',
      script,
    ],
    { cwd: ROOT, encoding: 'utf8', timeout: 60_000, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const line = output.split('\n').find((text) => text.startsWith('LEFT ')) ?? 'LEFT ["no answer"]';
  return { left: JSON.parse(line.slice(5)), output: output.replace(`${line}\n`, '') };
}

for (const workspace of ['agent-proto', 'kit', 'agent', 'appliance', 'relay']) {
  t.test(`importing every module of ${workspace} does no work`, async (t) => {
    const files = sourceFiles(workspace).filter((file) => !file.includes('/bin/'));
    t.ok(files.length > 3, `${files.length} modules`);
    const { left, output } = load(files);
    t.strictSame(left, [], 'no timer, socket or file is open');
    t.equal(output, '', 'nothing is printed');
  });
}

t.test('a module that opens something at import is found', async (t) => {
  const dir = t.testdir({
    'busy.ts': 'setInterval(() => {}, 1000);\n',
    'writer.ts': "import { writeFileSync } from 'node:fs';\nwriteFileSync('/tmp/x', '');\n",
  });
  const relative = (name: string) => join(dir, name).slice(ROOT.length + 1);
  t.throws(() => load([relative('writer.ts')]), 'writing is refused');
  t.throws(() => load([relative('busy.ts')]), 'a timer keeps it from ending or is listed');
});
