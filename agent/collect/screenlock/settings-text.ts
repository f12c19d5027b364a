import type { LockSettings } from './desktops.ts';

/** `true` or `false` of `gsettings get`. */
export function parseGsettingsFlag(output: string): boolean | undefined {
  const word = output.trim();
  return word === 'true' ? true : word === 'false' ? false : undefined;
}

/** `uint32 300` or `5`. */
export function parseGsettingsNumber(output: string): number | undefined {
  const match = /^(?:u?int(?:16|32|64) )?(\d{1,9})$/.exec(output.trim());
  return match === null ? undefined : Number(match[1]);
}

/** Plasma's own defaults (kscreenlockersettings.kcfg): minutes, and seconds of grace. */
const KDE_DEFAULTS = { autolock: true, timeoutMinutes: 5, graceSeconds: 5 };

/** kscreenlockerrc files, the weakest first: system wide, then the person's. `[$i]` in a file stops later ones. */
export function readKscreenlocker(files: readonly string[]): LockSettings {
  const values = new Map<string, string>();
  const fixed = new Set<string>();
  for (const text of files) {
    let section = '';
    let isFixedSection = false;
    for (const raw of text.split('\n')) {
      const line = raw.trim();
      const header = /^\[([^\]]+)\](\[\$i\])?$/.exec(line);
      if (header !== null) {
        section = header[1]!;
        isFixedSection = header[2] !== undefined;
        continue;
      }
      const entry = /^([A-Za-z]+)(\[\$i\])?\s*=\s*(.*)$/.exec(line);
      if (entry === null || section !== 'Daemon' || fixed.has(entry[1]!)) continue;
      values.set(entry[1]!, entry[3]!);
      if (isFixedSection || entry[2] !== undefined) fixed.add(entry[1]!);
    }
  }
  const timeout = numberOr(values.get('Timeout'), KDE_DEFAULTS.timeoutMinutes);
  const grace = numberOr(values.get('LockGrace'), KDE_DEFAULTS.graceSeconds);
  const autolock = values.has('Autolock') ? /^(true|on|yes|1)$/i.test(values.get('Autolock')!) : KDE_DEFAULTS.autolock;
  return { lockEnabled: autolock, idleSeconds: timeout === 0 ? 0 : timeout * 60 + grace };
}

function numberOr(text: string | undefined, fallback: number): number {
  return text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) : fallback;
}
