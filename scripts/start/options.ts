import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

export interface StartOptions {
  isJson: boolean;
  dataDir: string;
  isHelp: boolean;
}

export const HELP = `Usage: npm start [-- --json] [--data-dir DIR]

Runs a relay (SQLite), one appliance and one agent on this host, on loopback addresses only: claims the box for a site,
checks this machine, stops a small daemon of its own once and shows how it is repaired. Ctrl-C stops all of it.

  --json          one line {"ready":true,"relayUrl","applianceUrl","signInUrl",...} on stdout when all is up
  --data-dir DIR  keep keys and databases in DIR (default: .sitewarden in this folder); remove it to begin anew
  --help          this text`;

/** Throws with the name of the argument that is not known. */
export function parseOptions(argv: string[], root: string): StartOptions {
  const { values } = parseArgs({
    args: argv,
    options: { json: { type: 'boolean' }, 'data-dir': { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    strict: true,
  });
  return {
    isJson: values.json ?? false,
    isHelp: values.help ?? false,
    dataDir: values['data-dir']
      ? resolve(process.env.INIT_CWD ?? process.cwd(), values['data-dir'])
      : join(root, '.sitewarden'),
  };
}
