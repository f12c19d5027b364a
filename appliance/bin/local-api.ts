import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
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
      const answer = await fetch(new URL(path, run.localUrl), {
        method,
        headers: {
          ...(method === 'GET' ? {} : { authorization: `Bearer ${await adminToken(config.dataDir)}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      }).catch((cause: unknown) => {
        throw applianceErrors.make('LOCAL_API_UNREACHABLE', { detail: run.localUrl, cause });
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

async function adminToken(dataDir: string): Promise<string> {
  const path = join(dataDir, ADMIN_TOKEN_FILE);
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (cause) {
    throw applianceErrors.make('LOCAL_API_UNREACHABLE', { detail: `${path} cannot be read by this user`, cause });
  }
}
