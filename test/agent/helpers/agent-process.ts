import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../../agent/bin/sitewarden-agent.ts', import.meta.url));

export interface AgentHome {
  readonly dir: string;
  readonly dataDir: string;
  readonly configPath: string;
  readonly servicesDir: string;
  /** Runs the program to its end. */
  call(...args: string[]): Promise<Ended>;
  /** The same, with this on its standard input. */
  callWith(input: string, ...args: string[]): Promise<Ended>;
  /** Starts the program with these arguments. */
  start(...args: string[]): RunningAgent;
  /** Starts `run`; output is collected. */
  run(): RunningAgent;
  remove(): void;
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningAgent {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  output(): string;
}

/** A workstation's folders, in a place of their own. */
export function makeAgentHome(config = ''): AgentHome {
  const dir = mkdtempSync(join(tmpdir(), 'sitewarden-agent-'));
  const dataDir = join(dir, 'data');
  const servicesDir = join(dir, 'services');
  const configPath = join(dir, 'agent.yaml');
  mkdirSync(servicesDir);
  writeFileSync(configPath, `dataDir: ${dataDir}\nserviceManager:\n  pidfileDir: ${servicesDir}\n${config}`);

  function start(args: readonly string[]): RunningAgent {
    // The test runner loads itself into children through NODE_OPTIONS; a program under test runs bare.
    const { NODE_OPTIONS: _, ...env } = process.env;
    const child = spawn(process.execPath, [PROGRAM, '--config', configPath, ...args], { env });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    const ended = new Promise<Ended>((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr })));
    return { child, ended, output: () => stdout + stderr };
  }

  return {
    dir,
    dataDir,
    configPath,
    servicesDir,
    call: (...args) => start(args).ended,
    start: (...args) => start(args),
    callWith(input, ...args) {
      const { child, ended } = start(args);
      child.stdin?.end(input);
      return ended;
    },
    run: () => start(['run']),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}
