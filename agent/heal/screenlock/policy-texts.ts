const LOCAL_DB = 'system-db:local';

const DCONF_KEYS = (
  idleSeconds: number,
): readonly (readonly [folder: string, keys: Readonly<Record<string, string>>])[] => [
  ['org/gnome/desktop/session', { 'idle-delay': `uint32 ${idleSeconds}` }],
  ['org/gnome/desktop/screensaver', { 'lock-enabled': 'true', 'lock-delay': 'uint32 0' }],
  ['org/cinnamon/desktop/session', { 'idle-delay': `uint32 ${idleSeconds}` }],
  ['org/cinnamon/desktop/screensaver', { 'lock-enabled': 'true', 'lock-delay': 'uint32 0' }],
  // MATE counts whole minutes.
  ['org/mate/desktop/session', { 'idle-delay': String(wholeMinutes(idleSeconds)) }],
  ['org/mate/screensaver', { 'lock-enabled': 'true' }],
];

/** A keyfile of dconf for GNOME, Cinnamon and MATE. */
export function dconfKeyfile(idleSeconds: number): string {
  return DCONF_KEYS(idleSeconds)
    .flatMap(([folder, keys]) => [`[${folder}]`, ...Object.entries(keys).map(([key, value]) => `${key}=${value}`), ''])
    .join('\n');
}

/** Keys that people cannot set for themselves any more: one path a line. */
export function dconfLocks(): string {
  return DCONF_KEYS(60)
    .flatMap(([folder, keys]) => Object.keys(keys).map((key) => `/${folder}/${key}\n`))
    .join('');
}

/** The profile everybody's settings are read by; sources that are there stay in their order. */
export function dconfProfile(former: string | undefined): string {
  if (former === undefined || former.trim() === '') return `user-db:user\n${LOCAL_DB}\n`;
  if (former.split('\n').some((line) => line.trim() === LOCAL_DB)) return former;
  return `${former.trimEnd()}\n${LOCAL_DB}\n`;
}

/** Plasma's system-wide file: its group Daemon is replaced, with `[$i]` which people cannot override; the rest stays. */
export function kscreenlockerrc(former: string | undefined, idleSeconds: number): string {
  const kept: string[] = [];
  let isOurs = false;
  for (const line of (former ?? '').split('\n')) {
    if (line.trim().startsWith('[')) isOurs = /^\[Daemon\](?:\[\$i\])?$/.test(line.trim());
    if (!isOurs) kept.push(line);
  }
  const rest = kept.join('\n').trimEnd();
  const own = `[Daemon][$i]\nAutolock=true\nLockGrace=0\nTimeout=${wholeMinutes(idleSeconds)}\n`;
  return rest === '' ? own : `${rest}\n\n${own}`;
}

const wholeMinutes = (seconds: number): number => Math.max(1, Math.floor(seconds / 60));
