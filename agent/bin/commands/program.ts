import { Command, Option } from 'commander';
import { defaultConfigPath } from '../../config/places.ts';
import { AGENT_VERSION } from '../../run/version.ts';
import type { CheckFlags } from './check-command.ts';
import type { EnrollFlags } from './enroll-command.ts';
import type { InstallFlags, UninstallFlags } from './install-command.ts';
import { guarded } from './output.ts';
import type { RunFlags } from './run-command.ts';

const EXIT_TEXT = `
Exit codes:
  0  done
  1  a fault
  2  wrong usage or configuration
  3  the agent has to be enrolled
  4  the appliance removed this agent from its site
  5  another version lies in its place: start it again`;

/** Commands, options and their help. What they do stands in one file each, loaded when it is asked for. */
export function createProgram(): Command {
  const program = new Command('sitewarden-agent')
    .description('Checks this workstation and reports to the appliance of its site.')
    .version(AGENT_VERSION)
    .option('--config <file>', `configuration file (default: ${defaultConfigPath()})`)
    // Wrong usage is 2, as the help says; help and version are 0.
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
    .showHelpAfterError('(add --help for the options)')
    .addHelpText('after', EXIT_TEXT);
  const configPath = (): string | undefined => program.opts<{ config?: string }>().config;

  program
    .command('run')
    .description('run the agent until SIGINT or SIGTERM')
    .addHelpText(
      'after',
      '\nCollects the checks the site asks for, queues reports on disk, and keeps a session with the appliance.\nWithout an identity it enrolls first when there is a token file: that of the configuration, or token.json in the data folder.',
    )
    .option('--ready-json', 'print one line of JSON once everything runs')
    .option('--log-file <file>', 'write the log there instead of standard output; 2 files of 5 MiB are kept')
    .addOption(new Option('--guarded', 'a program that was replaced watches over this start').hideHelp())
    .action((flags: RunFlags) =>
      guarded(async () => (await import('./run-command.ts')).runCommand(configPath(), flags)),
    );

  program
    .command('enroll')
    .description('get an identity from the appliance with a single-use token')
    .requiredOption('--token-file <file>', 'token file made by the appliance, or - for standard input')
    .option('--appliance <host:port>', 'address of the appliance (default: as in the token file)')
    .option('--replace', 'give up an identity that is still good')
    .addHelpText(
      'after',
      '\nThe token file is deleted once the identity is stored. The token is never taken from the command line or the\nenvironment, where other accounts could read it.',
    )
    .action((flags: EnrollFlags) =>
      guarded(async () => (await import('./enroll-command.ts')).enrollCommand(configPath(), flags)),
    );

  program
    .command('install')
    .description('install this program as a service that starts with the machine, or upgrade it')
    .option('--token-file <file>', 'token file made by the appliance to enroll with, or - for standard input')
    .option('--appliance <host:port>', 'address of the appliance (default: as in the token file)')
    .option('--root <folder>', 'lay the files below this folder and start nothing, for images')
    .option('--dry-run', 'print what would be done and do nothing')
    .addHelpText(
      'after',
      '\nA systemd unit on Linux, a launchd daemon on macOS, a task at boot on Windows. Needs root or an administrator. Doing\nit again does no harm: the configuration, the identity and the queue that are there stay.',
    )
    .action((flags: InstallFlags) =>
      guarded(async () => (await import('./install-command.ts')).installCommand(configPath(), flags)),
    );

  program
    .command('uninstall')
    .description('stop the service and remove it with its program')
    .option('--purge', 'also remove the identity, the queue and the configuration')
    .option('--root <folder>', 'remove the files below this folder and stop nothing, for images')
    .option('--dry-run', 'print what would be done and do nothing')
    .addHelpText('after', '\nWithout --purge the identity, the queue and the configuration stay for a later install.')
    .action((flags: UninstallFlags) =>
      guarded(async () => (await import('./install-command.ts')).uninstallCommand(configPath(), flags)),
    );

  program
    .command('check')
    .description('run every check once and print the results; nothing is sent')
    .option('--json', 'print one JSON list with the facts')
    .option('--service <name...>', 'services to look at (default: those the site requires)')
    .addHelpText('after', '\nSome checks see more when run as root.')
    .action((flags: CheckFlags) =>
      guarded(async () => (await import('./check-command.ts')).checkCommand(configPath(), flags)),
    );

  // Not for people: the version that runs asks it of the one that shall follow.
  program
    .command('update-check', { hidden: true })
    .description('prove beside a running agent that this version can take its place')
    .action(() => guarded(async () => (await import('./update-check-command.ts')).updateCheckCommand(configPath())));

  program
    .command('stop')
    .description('end the agent that runs on this data folder, and wait until it has ended')
    .action(() => guarded(async () => (await import('./stop-command.ts')).stopCommand(configPath())));

  program
    .command('status')
    .description('tell whether the agent is enrolled, running and connected, and what waits')
    .option('--json', 'print one JSON object')
    .action((flags: { json?: boolean }) =>
      guarded(async () => (await import('./status-command.ts')).statusCommand(configPath(), flags)),
    );

  const config = program.command('config').description('look at the configuration');
  config
    .command('check')
    .description('read the configuration and name every fault in it')
    .action(() => guarded(async () => (await import('./config-command.ts')).configCheckCommand(configPath())));
  config
    .command('keys')
    .description('list every key with its type, default and meaning')
    .action(() => guarded(async () => (await import('./config-command.ts')).configKeysCommand()));

  return program;
}
