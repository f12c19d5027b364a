import t from 'tap';
import { type Import, importsOf, sourceFiles, WORKSPACES } from './sources.ts';

/** What each workspace may import of ours. */
const ALLOWED: Record<(typeof WORKSPACES)[number], string[]> = {
  'agent-proto': [],
  kit: ['agent-proto'],
  agent: ['agent-proto', 'kit'],
  appliance: ['agent-proto', 'kit'],
  relay: ['agent-proto', 'kit'],
  'relay/web': [],
};

/** Inside a program: a file may import its own rank (features: see below) and every lower one. */
const RANKS: Record<string, number> = {
  bin: 5,
  'daemon.ts': 4,
  'server.ts': 4,
  'app.ts': 4,
  run: 4,
  routes: 3,
  plugins: 3,
  store: 1,
  identity: 1,
  keys: 1,
  config: 0,
  lib: 0,
  'errors.ts': 0,
};
const FEATURE_RANK = 2;

const workspaceOf = (path: string): string =>
  path.startsWith('relay/web/') ? 'relay/web' : (path.split('/')[0] as string);
const placeOf = (path: string): string => path.split('/')[1] as string;
const rankOf = (path: string): number => RANKS[placeOf(path)] ?? FEATURE_RANK;

export function layerFaults(imports: Import[]): string[] {
  const faults: string[] = [];
  for (const { file, target, specifier } of imports) {
    if (!target) continue;
    const from = workspaceOf(file);
    const to = workspaceOf(target);
    if (from !== to) {
      if (!ALLOWED[from as keyof typeof ALLOWED].includes(to))
        faults.push(`${file} imports ${specifier}: ${from} may not use ${to}`);
      else if (specifier.startsWith('.')) faults.push(`${file} reaches ${specifier} past the door of ${to}`);
      continue;
    }
    if (!['agent', 'appliance', 'relay'].includes(from)) continue;
    if (rankOf(target) > rankOf(file)) faults.push(`${file} imports upward: ${specifier}`);
    const isOtherFeature =
      rankOf(file) === FEATURE_RANK && rankOf(target) === FEATURE_RANK && placeOf(file) !== placeOf(target);
    if (isOtherFeature && !target.endsWith('/index.ts'))
      faults.push(`${file} imports ${specifier}: use the door of ${placeOf(target)}`);
  }
  return faults;
}

t.test('imports point only downward and only through doors', async (t) => {
  const imports = WORKSPACES.flatMap((workspace) => sourceFiles(workspace).flatMap(importsOf));
  t.ok(imports.length > 200, `${imports.length} imports were read`);
  t.strictSame(layerFaults(imports), []);
});

t.test('an upward, a sideways and a foreign import are each found', async (t) => {
  const fake = (file: string, specifier: string, target: string): Import => ({ file, specifier, target });
  t.match(layerFaults([fake('appliance/store/a.ts', '../intake/index.ts', 'appliance/intake/index.ts')]), [/upward/]);
  t.match(layerFaults([fake('relay/claim/a.ts', '../orders/machine.ts', 'relay/orders/machine.ts')]), [
    /door of orders/,
  ]);
  t.match(layerFaults([fake('agent/push/a.ts', '../../appliance/a.ts', 'appliance/a.ts')]), [/may not use appliance/]);
});

t.test('private keys are made and read in one folder per program only', async (t) => {
  const { readFileSync } = await import('node:fs');
  const { join } = await import('node:path');
  const { ROOT } = await import('./sources.ts');
  const homes = ['agent-proto/keys/', 'agent/identity/', 'appliance/identity/', 'relay/keys/'];
  const touching = WORKSPACES.flatMap(sourceFiles).filter((file) => {
    const text = readFileSync(join(ROOT, file), 'utf8');
    return /\b(createPrivateKey|generateKeyPair(Sync)?|generateEd25519|box\.keyPair)\s*\(/.test(text);
  });
  t.ok(touching.length >= 3, 'the search finds the homes themselves');
  t.strictSame(
    touching.filter((file) => !homes.some((home) => file.startsWith(home))),
    [],
  );
});
