const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/**
 * When a ClamAV database was built, from the 512-byte header of daily.cvd or daily.cld:
 * `ClamAV-VDB:16 Mar 2024 04-29 -0400:27216:...`. The file's own time only says when it was copied.
 */
export function parseVdbTime(header: string): number | undefined {
  const match = /^ClamAV-VDB:(\d{1,2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2})-(\d{2}) ([+-])(\d{2})(\d{2}):/.exec(header);
  if (match === null) return undefined;
  const [, day, monthName, year, hour, minute, sign, zoneHours, zoneMinutes] = match;
  const month = MONTHS.indexOf(monthName!);
  if (month < 0) return undefined;
  const zoneMs = (Number(zoneHours) * 60 + Number(zoneMinutes)) * 60_000 * (sign === '-' ? -1 : 1);
  const localMs = Date.UTC(Number(year), month, Number(day), Number(hour), Number(minute));
  return localMs - zoneMs;
}

/** `ClamAV 1.0.7/27500/Tue Jan 1 ...` to `1.0.7`. */
export function parseClamVersion(output: string): string | undefined {
  return /^ClamAV (\d[\w.+~-]{0,31})/.exec(output)?.[1];
}
