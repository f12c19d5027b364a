import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CodedError, type ErrorBody } from '@sitewarden/kit/errors';
import { type ApplianceConfig, readConfigFile } from '../config/index.ts';
import { applianceErrors } from '../errors.ts';
import { type RunFile, readRunFile } from '../lib/run-file.ts';
import { ADMIN_TOKEN_FILE } from '../local/index.ts';

export interface LocalApi {
  readonly config: ApplianceConfig;
  readonly run: RunFile;
  /** The JSON of the answer. Throws LOCAL_API_UNREACHABLE, or what the daemon answered. */
  call<T>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<T>;
}

const TIMEOUT_MS = 60_000;
/** The daemon shuts its port for a moment when its parts begin anew, as they do with a new key. */
const BEGIN_ANEW_MS = 20_000;
const LOOK_AGAIN_MS = 200;

/** Speaks with the daemon that runs on the data folder of this configuration. Throws LOCAL_API_UNREACHABLE. */
export async function openLocalApi(configFile: string): Promise<LocalApi> {
  const config = await readConfigFile(configFile);
  const run = await readRunFile(config.dataDir);
  if (run === undefined) {
    throw applianceErrors.make('LOCAL_API_UNREACHABLE', { detail: `No appliance runs on ${config.dataDir}` });
  }
  return {
    config,
    run,
    async call<T>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<T> {
      const answer = await ask(config.dataDir, run, path, {
        method,
        headers: {
          ...(method === 'GET' ? {} : { authorization: `Bearer ${await adminToken(config.dataDir)}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const value = (await answer.json()) as T & Partial<ErrorBody>;
      if (answer.ok) return value;
      if (value.code === undefined || value.message === undefined) {
        throw applianceErrors.make('LOCAL_API_UNREACHABLE', {
          detail: `${run.localUrl} answered HTTP ${answer.status}`,
        });
      }
      // The sentence is the daemon's own, and complete.
      throw new CodedError(value.code, { status: answer.status, message: value.message }, { field: value.field });
    },
  };
}

/** Asks again only while nobody listens and the daemon lives: a request that was sent is never sent twice. */
async function ask(dataDir: string, run: RunFile, path: string, request: RequestInit): Promise<Response> {
  const untilMs = performance.now() + BEGIN_ANEW_MS;
  for (;;) {
    try {
      return await fetch(new URL(path, run.localUrl), { ...request, signal: AbortSignal.timeout(TIMEOUT_MS) });
    } catch (cause) {
      const isShut = ((cause as Error).cause as NodeJS.ErrnoException | undefined)?.code === 'ECONNREFUSED';
      if (!isShut || performance.now() > untilMs || (await readRunFile(dataDir)) === undefined) {
        throw applianceErrors.make('LOCAL_API_UNREACHABLE', { detail: run.localUrl, cause });
      }
      await delay(LOOK_AGAIN_MS);
    }
  }
}

async function adminToken(dataDir: string): Promise<string> {
  const path = join(dataDir, ADMIN_TOKEN_FILE);
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (cause) {
    throw applianceErrors.make('LOCAL_API_UNREACHABLE', { detail: `${path} cannot be read by this user`, cause });
  }
}
