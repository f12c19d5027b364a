import type { Command } from 'commander';
import type { SecretName } from '../secrets/index.ts';
import { reported } from './failure.ts';
import { openLocalApi } from './local-api.ts';

export function addSecretCommands(program: Command, withConfig: (command: Command) => Command): void {
  const secrets = program.command('secrets').description('secrets of the site that are sealed to this box');
  withConfig(secrets.command('list')).description('list their names; values are never shown').action(reported(list));
  withConfig(secrets.command('test').argument('<name>', 'which one'))
    .description('open one with the key of this box and say how long it is; its value is not shown')
    .action(reported((name: string, { config }: { config: string }) => test(name, config)));
}

async function list({ config }: { config: string }): Promise<void> {
  const api = await openLocalApi(config);
  const { secrets } = await api.call<{ secrets: SecretName[] }>('POST', '/api/local/secrets/list');
  if (secrets.length === 0) console.log('This site has no secrets. An admin enters them on its page at the relay.');
  for (const { name, setAtMs, isForThisBox } of secrets) {
    const note = isForThisBox ? '' : '  sealed to another key: an admin has to enter it again';
    console.log(`${name}  set ${new Date(setAtMs).toISOString()}${note}`);
  }
}

async function test(name: string, config: string): Promise<void> {
  const api = await openLocalApi(config);
  const { bytes } = await api.call<{ bytes: number }>('POST', '/api/local/secrets/test', { name });
  console.log(`${name} opens: ${bytes} bytes.`);
}
