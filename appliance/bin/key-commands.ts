import { ROTATED_KEYS } from '@sitewarden/agent-proto/http';
import { Argument, type Command } from 'commander';
import type { RotationResult } from '../rotation/index.ts';
import { reported } from './failure.ts';
import { openLocalApi } from './local-api.ts';

export function addKeyCommands(program: Command, withConfig: (command: Command) => Command): void {
  const keys = program.command('keys').description('the keys of this box');
  withConfig(keys.command('rotate').addArgument(new Argument('<key>', 'which one').choices(ROTATED_KEYS)))
    .description('replace the device key (dik) or the evidence key (evk) of the running box by a new one')
    .action(reported((key: RotationResult['key'], { config }: { config: string }) => rotate(key, config)));
}

async function rotate(key: RotationResult['key'], config: string): Promise<void> {
  const api = await openLocalApi(config);
  const { state, fingerprint, error } = await api.call<RotationResult>('POST', '/api/local/keys/rotate', { key });
  if (state === 'done') {
    console.log(`The new ${key} is in force: ${fingerprint}`);
    return;
  }
  const why = error === null ? '' : ` ${error.message} [${error.code}]`;
  console.log(`The new ${key} is made and comes into force by itself: ${fingerprint}.${why}`);
}
