import type { Appliance } from '../../../api/types.ts';
import { formatBytes, formatDuration } from '../../../clock/format.ts';
import css from './appliance.module.css';

const QUALITY: Record<string, string> = {
  synced: 'set by its time servers',
  relay: 'set by the relay’s signed time',
  unsynced: 'not synchronised',
};
/** Ages and signatures bear this much without anybody noticing. */
const SMALL_OFFSET_MS = 2000;

export function clockWords({ quality, offsetMs }: Appliance['clock']): string {
  const words = QUALITY[quality] ?? quality;
  if (Math.abs(offsetMs) < SMALL_OFFSET_MS) return words;
  return `${words}, ${formatDuration(Math.abs(offsetMs))} ${offsetMs > 0 ? 'ahead of' : 'behind'} the relay`;
}

export function DiskUse({ disk }: { disk: Appliance['disk'] }) {
  const used = disk.totalBytes - disk.freeBytes;
  const share = Math.round((used / disk.totalBytes) * 100);
  return (
    <span className={css.disk}>
      <span>
        {share} % of {formatBytes(disk.totalBytes)} used
      </span>
      <span className={css.bar} data-full={share >= 85} aria-hidden="true">
        <span style={{ width: `${share}%` }} />
      </span>
    </span>
  );
}
