// The control of `idle` and `agent-idle`: a program's own dependencies loaded into a process that does nothing with them.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { serveParent } from '../lib/child.ts';

/** The appliance loads it only when there is a certificate to make, so the control must not load it either. */
const LEFT_OUT = ['@peculiar/x509'];
/** The same for every program. Instead of it: what the package.json of the program names that the argument says. */
const BIG_THREE = ['@grpc/grpc-js', 'fastify', 'better-sqlite3'];

const what = process.argv[2] as 'appliance' | 'agent' | 'three';
const program = what === 'three' ? 'appliance' : what;
const manifest = new URL(`../../../${program}/package.json`, import.meta.url);
const require = createRequire(manifest);
const named = Object.keys(JSON.parse(readFileSync(manifest, 'utf8')).dependencies as Record<string, string>);
const foreign = named.filter((name) => !name.startsWith('@sitewarden/') && !LEFT_OUT.includes(name));
const wanted = what === 'three' ? BIG_THREE : foreign;
for (const name of wanted) await import(pathToFileURL(require.resolve(name)).href);
serveParent({ loaded: wanted.length }, async () => ({}));
