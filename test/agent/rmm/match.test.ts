import { RMM_PRODUCTS } from '@sitewarden/agent-proto/rmm';
import fc from 'fast-check';
import t from 'tap';
import {
  compilePatterns,
  expand,
  type Inventory,
  matchRmm,
  parsePackages,
  parsePs,
  SIGNATURES,
  windowsInventory,
} from '../../../agent/rmm/index.ts';
import { machine } from '../helpers/recordings.ts';

const SYSTEMS = ['win32', 'linux', 'darwin'] as const;
const empty = (platform: Inventory['platform']): Inventory => ({
  platform,
  isWhole: true,
  services: [],
  processes: [],
  programs: [],
  paths: [],
});
/** A name the pattern stands for. */
const example = (pattern: string): string => pattern.replaceAll('*', 'x1');

t.test('the table and the contract name the same products, each once', async (t) => {
  const names = SIGNATURES.map(({ product }) => product);
  t.equal(new Set(names).size, names.length);
  t.strictSame([...names].sort(), RMM_PRODUCTS.map(({ product }) => product).sort());
  t.ok(SIGNATURES.filter(({ win32 }) => win32 !== undefined).length >= 24, 'at least 24 on Windows');
});

t.test('names on Linux are as long as the kernel keeps them, and names are in lower case', async (t) => {
  for (const { product, linux, win32, darwin } of SIGNATURES) {
    for (const name of linux?.processes ?? []) t.ok(Buffer.byteLength(name) <= 15, `${product}: ${name}`);
    for (const traces of [linux, win32, darwin]) {
      const names = [...(traces?.services ?? []), ...(traces?.processes ?? []), ...(traces?.programs ?? [])];
      for (const name of names) t.equal(name, name.toLowerCase(), product);
    }
  }
});

for (const platform of SYSTEMS) {
  t.test(`${platform}: each trace alone finds its product and no other`, async (t) => {
    for (const signature of SIGNATURES) {
      const { services = [], processes = [], programs = [], paths = [] } = signature[platform] ?? {};
      const seen: [string, boolean, Partial<Inventory>][] = [
        ...services.map(
          (name) =>
            ['service', true, { services: [{ name: example(name), isRunning: true }] }] as [
              string,
              boolean,
              Partial<Inventory>,
            ],
        ),
        ...services.map(
          (name) =>
            ['service', false, { services: [{ name: example(name), isRunning: false }] }] as [
              string,
              boolean,
              Partial<Inventory>,
            ],
        ),
        ...processes.map((name) => {
          const [first] = name.includes('\\')
            ? [{ name: '', path: example(name) }]
            : [{ name: example(name), path: '' }];
          return ['process', true, { processes: [first!] }] as [string, boolean, Partial<Inventory>];
        }),
        ...paths.map((path) => ['path', false, { paths: [path] }] as [string, boolean, Partial<Inventory>]),
        ...(platform === 'win32'
          ? programs.map(
              (name) =>
                ['registry', false, { programs: [{ name: example(name), version: '1.2' }] }] as [
                  string,
                  boolean,
                  Partial<Inventory>,
                ],
            )
          : []),
      ];
      for (const [foundBy, running, part] of seen) {
        const found = matchRmm({ ...empty(platform), ...part });
        t.match(found, [{ product: signature.product, foundBy, running }], JSON.stringify(part));
        t.equal(found.length, 1, `${JSON.stringify(part)} finds one product`);
      }
    }
  });
}

t.test('a workstation with tools of three providers', async (t) => {
  const { ask } = machine('win11-rmm');
  const inventory = windowsInventory({
    services: ask('services'),
    programs: ask('programs'),
    processes: ask('processes'),
  });
  t.strictSame(
    matchRmm({ ...inventory, paths: [] }),
    [
      { product: 'ConnectWise ScreenConnect', version: '24.2.10.8991', running: true, foundBy: 'service' },
      { product: 'Datto RMM', version: '4.4.2195.2195', running: true, foundBy: 'service' },
      { product: 'NinjaOne', version: '5.9.1158', running: false, foundBy: 'service' },
      { product: 'TeamViewer', version: '15.59.3', running: true, foundBy: 'service' },
      { product: 'Splashtop', version: '3.7.2.4', running: false, foundBy: 'registry' },
      { product: 'Pulseway', version: '', running: true, foundBy: 'process' },
    ].sort((a, b) => order(a.product) - order(b.product)),
  );
  t.strictSame(matchRmm(empty('win32')), []);
});

const order = (product: string): number => SIGNATURES.findIndex((one) => one.product === product);

t.test('an ordinary Windows has none', async (t) => {
  const { ask } = machine('win11-pro-domain');
  const inventory = windowsInventory({
    services: ask('services'),
    programs: ask('programs'),
    processes: ask('processes'),
  });
  t.strictSame(matchRmm({ ...inventory, paths: [] }), []);
});

t.test('a Windows whose services or programs could not be read was not looked at', async (t) => {
  const { ask } = machine('win11-rmm');
  const sight = { services: ask('services'), programs: ask('programs'), processes: ask('processes') };
  t.equal(windowsInventory(sight).isWhole, true);
  t.equal(windowsInventory({ ...sight, programs: ask('updates') }).isWhole, false);
  t.equal(windowsInventory({ ...sight, services: ask('updates') }).isWhole, false);
});

t.test('a package on Linux tells the version and proves nothing alone', async (t) => {
  const programs = parsePackages('ii \tanydesk\t6.4.3\nrc \trustdesk\t1.2.3\nii \tbash\t5.2\nbroken line\n');
  t.strictSame(
    programs.map(({ name }) => name),
    ['anydesk', 'bash'],
  );
  t.strictSame(matchRmm({ ...empty('linux'), programs }), []);
  const found = matchRmm({ ...empty('linux'), programs, paths: ['/usr/bin/anydesk'] });
  t.strictSame(found, [{ product: 'AnyDesk', version: '6.4.3', running: false, foundBy: 'path' }]);
});

t.test('programs of macOS are told by the last part of their path', async (t) => {
  const processes = parsePs('/sbin/launchd\n/Applications/AEM Agent.app/Contents/MacOS/AEM Agent\n');
  t.match(matchRmm({ ...empty('darwin'), processes }), [{ product: 'Datto RMM', running: true }]);
});

t.test('a variable that Windows does not have drops its path', async (t) => {
  t.equal(expand('%ProgramFiles%\\Level', { ProgramFiles: 'C:\\Program Files' }), 'C:\\Program Files\\Level');
  t.equal(expand('%ProgramFiles(x86)%\\Level', {}), undefined);
});

t.test('patterns match whole names whatever stands in them, and end in time', async (t) => {
  t.equal(compilePatterns(['screenconnect client (*'])('ScreenConnect Client (0af)'), true);
  t.equal(compilePatterns(['level'])('level-up'), false);
  t.equal(compilePatterns(['a.c'])('abc'), false);
  t.equal(compilePatterns([])(''), false);
  fc.assert(
    fc.property(fc.string(), fc.string(), (pattern, name) => {
      const plain = pattern.replaceAll('*', '');
      compilePatterns([pattern])(name);
      return plain === '' || compilePatterns([plain])(plain);
    }),
  );
});

t.test('any inventory gives findings of the table, each product once', async (t) => {
  const anyName = fc.oneof(
    fc.string(),
    fc.constantFrom(
      ...SIGNATURES.flatMap(({ win32 }) => [...(win32?.services ?? []), ...(win32?.processes ?? [])].map(example)),
    ),
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...SYSTEMS),
      fc.array(fc.record({ name: anyName, isRunning: fc.boolean() }), { maxLength: 5 }),
      fc.array(fc.record({ name: anyName, path: anyName }), { maxLength: 5 }),
      fc.array(fc.record({ name: anyName, version: fc.string({ maxLength: 200 }) }), { maxLength: 5 }),
      (platform, services, processes, programs) => {
        const found = matchRmm({ platform, isWhole: true, services, processes, programs, paths: [] });
        return (
          new Set(found.map(({ product }) => product)).size === found.length &&
          found.every(({ version }) => version.length <= 64)
        );
      },
    ),
  );
  t.pass();
});
