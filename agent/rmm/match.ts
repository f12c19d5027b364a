import { compilePatterns } from './patterns.ts';
import { SIGNATURES, type Traces } from './signatures.ts';

export interface RmmSighting {
  readonly product: string;
  /** Empty when not known. */
  readonly version: string;
  readonly running: boolean;
  readonly foundBy: 'service' | 'process' | 'registry' | 'path';
}

/** What is on a workstation, in so far as it could be read: an unread part is empty and finds nothing. */
export interface Inventory {
  readonly platform: 'win32' | 'linux' | 'darwin';
  /** Nothing that finds a tool was left unread: what is not found is not there. */
  readonly isWhole: boolean;
  readonly services: readonly { readonly name: string; readonly isRunning: boolean }[];
  /** `path` empty when the system does not tell. */
  readonly processes: readonly { readonly name: string; readonly path: string }[];
  /** Uninstall keys of Windows; packages of Linux; applications of macOS that were found by their path. */
  readonly programs: readonly { readonly name: string; readonly version: string }[];
  /** Of the paths of the table, those that are there. */
  readonly paths: readonly string[];
}

/** A report with a text beyond the contract's bounds is refused whole, and anybody may write an uninstall key. */
const MAX_VERSION_CHARS = 64;

/** The tools in an inventory, in the order of the table. Pure. */
export function matchRmm(inventory: Inventory): RmmSighting[] {
  return SIGNATURES.flatMap(({ product, ...traces }) => {
    const found = lookFor(traces[inventory.platform] ?? {}, inventory);
    return found === undefined ? [] : [{ product, ...found }];
  });
}

function lookFor(traces: Traces, inventory: Inventory): Omit<RmmSighting, 'product'> | undefined {
  const isService = compilePatterns(traces.services);
  const isProcess = compilePatterns(traces.processes);
  const isProgram = compilePatterns(traces.programs);
  const services = inventory.services.filter(({ name }) => isService(name));
  const processes = inventory.processes.filter(({ name, path }) => isProcess(name) || isProcess(path));
  const programs = inventory.programs.filter(({ name }) => isProgram(name));
  const hasPath = traces.paths?.some((path) => inventory.paths.includes(path)) === true;
  const version =
    programs
      .map((program) => program.version)
      .find((text) => text !== '')
      ?.slice(0, MAX_VERSION_CHARS) ?? '';
  const running = processes.length > 0 || services.some(({ isRunning }) => isRunning);
  if (services.length > 0) return { version, running, foundBy: 'service' };
  if (processes.length > 0) return { version, running, foundBy: 'process' };
  // A package of the name alone is not enough: its library or its viewer may be called alike.
  if (programs.length > 0 && inventory.platform === 'win32') return { version, running, foundBy: 'registry' };
  return hasPath ? { version, running, foundBy: 'path' } : undefined;
}
