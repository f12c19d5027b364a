import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ENTRIES, runProgram, startProgram } from '../lib/programs.ts';

export interface OwnRelay {
  readonly url: string;
  readonly signInLink: string;
  /** Resident memory in MB (10^6 bytes); undefined where /proc does not tell. */
  rssMb(): number | undefined;
  close(): Promise<void>;
}

const NO_LIMIT = 10_000_000;

/** A relay of its own on loopback: SQLite in a temporary folder, no limit in the way. */
export async function startOwnRelay(): Promise<OwnRelay> {
  const folder = mkdtempSync(join(tmpdir(), 'sitewarden-fleet-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    const config = join(folder, 'relay.yaml');
    const limits = {
      requestsPerMinute: NO_LIMIT,
      boxRequestsPerMinute: NO_LIMIT,
      claimsPerMinute: NO_LIMIT,
      signInsPerMinute: NO_LIMIT,
    };
    const listen = { host: '127.0.0.1', port: 0 };
    writeFileSync(config, JSON.stringify({ dataDir: join(folder, 'data'), listen, limits, logLevel: 'warn' }));
    await runProgram('relay', ['init', '--config', config]);
    const relay = await startProgram({
      name: 'relay',
      entry: ENTRIES.relay,
      args: ['serve', '--config', config, '--ready-json'],
    });
    return {
      url: String(relay.ready.url),
      signInLink: String(relay.ready.signInUrl),
      rssMb: () => rssOf(relay.pid),
      async close() {
        await relay.stop();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}

function rssOf(pid: number): number | undefined {
  try {
    const kilobytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
    return Number.isFinite(kilobytes) ? Math.round((kilobytes * 1024) / 1e5) / 10 : undefined;
  } catch {
    return undefined;
  }
}
