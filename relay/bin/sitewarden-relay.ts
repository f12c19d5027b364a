#!/usr/bin/env node
import { isCodedError } from '@sitewarden/kit/errors';
import { outliveReaders } from '@sitewarden/kit/stdio';
import { Command } from 'commander';
import { ROLES } from '../lib/roles.ts';
import { programVersion } from '../lib/version.ts';
import type { InitFlags } from './commands/init.ts';
import { type ConfigFlags, configFrom, withConfigOptions, withFolderOptions, withStoreOptions } from './options.ts';
import { print } from './print.ts';

type LinkFlags = {
  email?: string;
  role: string;
  name: string;
  partner?: string;
  createPartner?: string;
  json?: boolean;
};

/** Each command loads what it needs: a sign-in link should not wait for the web server's modules. */
const load = {
  init: async () => (await import('./commands/init.ts')).init,
  stepKeys: async () => (await import('./commands/step-keys.ts')).stepKeysOf,
  serve: async () => (await import('./commands/serve.ts')).serve,
  store: () => import('./commands/store.ts'),
  verifyReceipt: async () => (await import('./commands/verify-receipt.ts')).verifyReceipt,
  openApi: async () => (await import('../routes/openapi-document.ts')).openApiDocument,
};

const KEY_STEP_TEXTS = {
  next: 'make the next keys, and have boxes told of them',
  switch: 'sign with the next keys from the next start on; boxes still believe the old ones',
  retire: 'end with the old keys: boxes are told to believe them no more',
} as const;

const program = new Command('sitewarden-relay')
  .description('Hands boxes to sites, knows which sites are fine, and witnesses their evidence')
  .version(programVersion())
  // Wrong usage is 2, as the help says; help and version are 0.
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
  .showHelpAfterError()
  .addHelpText('after', '\nExit codes: 0 done, 1 a fault, 2 wrong usage.');

withFolderOptions(program.command('init'))
  .option('--public-url <url>', 'address boxes and people use')
  .option('--host <address>', 'address to listen on; the name of the relay when it has no public URL')
  .description('make the root key, the working keys and the SQLite store in the data folder')
  .option('--if-missing', 'do nothing when there are keys already')
  .option('--new-database', 'keep the keys, whose database is lost, and begin anew without sites, boxes and people')
  .option('--json', 'print one line of JSON')
  .action(async (flags: ConfigFlags & InitFlags) => (await load.init())(await configFrom(flags), flags));

const keys = program
  .command('keys')
  .description('change the working keys of the relay: next, then switch, then retire');
for (const [step, text] of Object.entries(KEY_STEP_TEXTS)) {
  withFolderOptions(keys.command(step))
    .option('--root-key <file>', 'the private root key, where it is not in the data folder')
    .description(text)
    .action(async (flags: ConfigFlags & { rootKey?: string }) =>
      (await load.stepKeys())(await configFrom(flags), step as keyof typeof KEY_STEP_TEXTS, flags),
    );
}

withConfigOptions(program.command('serve'))
  .description('run the relay; the first start of all prints a one-time sign-in link')
  .option('--ready-json', 'print one line of JSON once it listens')
  .action(async (flags: ConfigFlags & { readyJson?: boolean }) => (await load.serve())(await configFrom(flags), flags));

withStoreOptions(program.command('migrate'))
  .description('bring the database to the version of this program')
  .action(async (flags: ConfigFlags) => (await load.store()).migrate(await configFrom(flags)));

withStoreOptions(program.command('sign-in-link'))
  .option('--public-url <url>', 'address boxes and people use')
  .description('make a one-time sign-in link for a person, who is made when there is none of that name and role')
  .option('--email <address>', 'for the person who signs in with it, instead of role and name')
  .option('--role <role>', ROLES.join(', '), 'admin')
  .option('--name <name>', 'name of the person', 'Admin')
  .option('--partner <id>', 'which partner, when there are several')
  .option('--create-partner <name>', 'make a new partner and the link for it')
  .option('--json', 'print one line of JSON')
  .action(async (flags: ConfigFlags & LinkFlags) => (await load.store()).signInLink(await configFrom(flags), flags));

withStoreOptions(program.command('people'))
  .description('list everyone: id, partner, role, state, name')
  .action(async (flags: ConfigFlags) => (await load.store()).people(await configFrom(flags)));

withStoreOptions(program.command('disable').argument('<staff-id>', 'as `people` lists it'))
  .description('sign a person out everywhere and let them in no more')
  .action(async (staffId: string, flags: ConfigFlags) =>
    (await load.store()).disable(await configFrom(flags), staffId),
  );

withStoreOptions(program.command('audit-verify'))
  .description('check that no event of the audit chains was changed, removed or put in')
  .action(async (flags: ConfigFlags) => (await load.store()).auditVerify(await configFrom(flags)));

program
  .command('verify-receipt')
  .argument('<file>', 'as the page of the receipt saves it')
  .description('check a receipt of a box that left or came back, with no network and no relay')
  .requiredOption('--root <key>', 'public root key of the relay that signed it')
  .option('--first-key <key>', 'evidence key of the box as its entry 0 names it, if you know it')
  .option(
    '--relay-keys <file>',
    'newest list of keys, as GET /api/relay/keys answers: tells a receipt of a withdrawn key',
  )
  .addHelpText(
    'after',
    '\nExit codes: 0 it holds, 1 it does not, 3 it holds under a key withdrawn since and nothing else bears it out.',
  )
  .action(async (file: string, flags: { root: string; firstKey?: string; relayKeys?: string }) =>
    (await load.verifyReceipt())(file, flags),
  );

program
  .command('openapi')
  .description('print the description of the API')
  .action(async () => print(JSON.stringify((await load.openApi())(), null, 2)));

withConfigOptions(program.command('config').description('read the configuration').command('check'))
  .description('print the configuration with its defaults, or every fault in it')
  .action(async (flags: ConfigFlags) => print(JSON.stringify(await configFrom(flags), null, 2)));

outliveReaders();
try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${wordsOf(error)}\n`);
  process.exitCode = 1;
}

/** A stack is for faults of the program itself. */
function wordsOf(error: unknown): string {
  if (!isCodedError(error)) return `INTERNAL: ${String((error as Error).stack ?? error)}`;
  return `${error.code}: ${error.message}${error.field === undefined ? '' : ` (${error.field})`}`;
}
