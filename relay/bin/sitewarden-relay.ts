#!/usr/bin/env node
import { isCodedError } from '@sitewarden/kit/errors';
import { Command } from 'commander';
import { ROLES } from '../lib/roles.ts';
import { programVersion } from '../lib/version.ts';
import { configCheck, init, migrate, openApi, serve, signInLink } from './commands.ts';
import { type ConfigFlags, configFrom, withConfigOptions } from './options.ts';

const program = new Command('sitewarden-relay')
  .description('Hands boxes to sites, knows which sites are fine, and witnesses their evidence')
  .version(programVersion())
  .showHelpAfterError();

withConfigOptions(program.command('init'))
  .description('make the root key and the working keys in the data folder')
  .option('--if-missing', 'do nothing when there are keys already')
  .option('--json', 'print one line of JSON')
  .action(async (flags: ConfigFlags & { json?: boolean; ifMissing?: boolean }) => init(await configFrom(flags), flags));

withConfigOptions(program.command('serve'))
  .description('run the relay; the first start of all prints a one-time sign-in link')
  .option('--ready-json', 'print one line of JSON once it listens')
  .action(async (flags: ConfigFlags & { readyJson?: boolean }) => serve(await configFrom(flags), flags));

withConfigOptions(program.command('migrate'))
  .description('bring the database to the version of this program')
  .action(async (flags: ConfigFlags) => migrate(await configFrom(flags)));

withConfigOptions(program.command('sign-in-link'))
  .description('make a one-time sign-in link for a person, who is made when there is none of that name and role')
  .option('--role <role>', ROLES.join(', '), 'admin')
  .option('--name <name>', 'name of the person', 'Admin')
  .option('--partner <id>', 'which partner, when there are several')
  .option('--create-partner <name>', 'make a new partner and the link for it')
  .option('--json', 'print one line of JSON')
  .action(async (flags: ConfigFlags & Parameters<typeof signInLink>[1]) => signInLink(await configFrom(flags), flags));

program.command('openapi').description('print the description of the API').action(openApi);

withConfigOptions(program.command('config').description('read the configuration').command('check'))
  .description('print the configuration with its defaults, or every fault in it')
  .action(async (flags: ConfigFlags) => configCheck(await configFrom(flags)));

try {
  await program.parseAsync();
} catch (error) {
  const text = isCodedError(error) ? `${error.code}: ${error.message}` : String((error as Error).stack ?? error);
  process.stderr.write(`${text}\n`);
  process.exitCode = 1;
}
