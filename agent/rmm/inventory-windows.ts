import { createWindowsRound, rowText, type SectionAnswer, type WindowsTools } from '../windows/index.ts';
import { findPaths } from './find-paths.ts';
import type { Inventory } from './match.ts';

/** One PowerShell process, or wmic and one `reg query` for each of the two uninstall keys. */
export async function takeWindowsInventory(
  options: { signal?: AbortSignal; tools?: WindowsTools } = {},
): Promise<Inventory> {
  const round = createWindowsRound({ sections: ['services', 'programs', 'processes'], timeoutMs: 60_000, ...options });
  try {
    const [services, programs, processes, paths] = await Promise.all([
      round.ask('services'),
      round.ask('programs'),
      round.ask('processes'),
      findPaths('win32'),
    ]);
    return { ...windowsInventory({ services, programs, processes }), paths };
  } finally {
    round.close();
  }
}

export function windowsInventory(sight: {
  readonly services: SectionAnswer;
  readonly programs: SectionAnswer;
  readonly processes: SectionAnswer;
}): Omit<Inventory, 'paths'> {
  const rowsOf = (answer: SectionAnswer) => (answer.ok ? answer.rows : []);
  return {
    platform: 'win32',
    isWhole: sight.services.ok && sight.programs.ok,
    services: rowsOf(sight.services).map((row) => ({
      name: rowText(row, 'Name') ?? '',
      isRunning: rowText(row, 'State') === 'Running',
    })),
    processes: rowsOf(sight.processes).map((row) => ({
      name: rowText(row, 'Name') ?? '',
      path: rowText(row, 'ExecutablePath') ?? '',
    })),
    programs: rowsOf(sight.programs).map((row) => ({
      name: rowText(row, 'DisplayName') ?? '',
      version: rowText(row, 'DisplayVersion') ?? '',
    })),
  };
}
