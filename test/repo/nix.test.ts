import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { skipWithout } from '../helpers/needs.ts';
import { ROOT } from './sources.ts';

const instantiate = (...args: string[]) =>
  execFileSync('nix-instantiate', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

t.test('every Nix file parses', async (t) => {
  if (skipWithout(t, { tools: ['nix-instantiate'] })) return;
  const files = [
    'flake.nix',
    ...readdirSync(join(ROOT, 'nix'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.nix'))
      .map((name) => join('nix', name)),
  ];
  t.ok(files.length >= 6);
  for (const file of files) t.ok(instantiate('--parse', file).length > 0, file);
  t.throws(() => instantiate('--parse', '-E', '{ a = ; }'), 'a broken file is told apart');
});

t.test('package and modules evaluate, and the services run the real programs', async (t) => {
  if (skipWithout(t, { tools: ['nix-instantiate'] })) return;
  const value = JSON.parse(instantiate('--eval', '--strict', '--json', 'nix/tests/evaluate-without-nixpkgs.nix'));
  t.match(value.appliance.unit.serviceConfig.ExecStart, /\/bin\/sitewarden-appliance run --config .*relay\.example/);
  t.match(value.relay.unit.serviceConfig.ExecStart, /\/bin\/sitewarden-relay serve --config .*relay\.example/);
  t.strictSame(value.appliance.unit.path, ['/nix/store/tpm2-tools'], 'what seals its keys');
  t.strictSame(value.appliance.ports, [50051, 8080]);
  for (const one of [value.appliance, value.relay]) {
    t.strictSame(one.onPath, ['/nix/store/sitewarden'], 'the programs are on the path');
    t.ok(one.unit.serviceConfig.ExecStart.endsWith(one.etc), 'the CLI finds the configuration of the service');
    t.strictSame(one.refused, []);
  }
  t.match(value.applianceWithoutKey.refused, [/rootKey/]);
  t.match(value.package, { pname: 'sitewarden', build: true, install: true });
});
