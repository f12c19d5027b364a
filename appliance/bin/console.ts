import { setTimeout as sleep } from 'node:timers/promises';
import { screenOf } from '../console/index.ts';
import type { LocalStatus } from '../local/index.ts';
import { openLocalApi } from './local-api.ts';

const EVERY_MS = 2000;
const HOME_AND_CLEAR = '\u001b[H\u001b[2J';
const MAX_WAIT_NOTE = 'Waiting for the appliance to start.';

/** Keeps the screen of the box up to date until it is stopped; `once` prints it and ends. */
export async function showConsole({ config, once = false }: { config: string; once?: boolean }): Promise<void> {
  const { stdout } = process;
  let isWatched = true;
  stdout.once('error', () => {
    isWatched = false;
  });
  while (isWatched) {
    const screen = { columns: stdout.columns ?? 80, isColour: stdout.isTTY };
    const text = once ? screenOf(await read(config), screen) : await orReason(config, screen);
    stdout.write(stdout.isTTY && !once ? HOME_AND_CLEAR + text : text);
    if (once) return;
    await sleep(EVERY_MS);
  }
}

async function read(config: string): Promise<LocalStatus> {
  const api = await openLocalApi(config);
  return api.call<LocalStatus>('GET', '/api/local/status');
}

/** The screen stays while the appliance starts, stops and starts again. */
async function orReason(config: string, screen: Parameters<typeof screenOf>[1]): Promise<string> {
  try {
    return screenOf(await read(config), screen);
  } catch (error) {
    return `Sitewarden\n\n${MAX_WAIT_NOTE}\n${error instanceof Error ? error.message : String(error)}\n`;
  }
}
