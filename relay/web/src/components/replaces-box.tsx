import { Checkbox } from '@mantine/core';
import { Note } from './note.tsx';
import { TimeAgo } from './time-ago.tsx';

interface ReplacesBoxProps {
  box: { applianceId: string; serial: string; lastCheckinAtMs: number | null };
  siteName: string;
  /** The appliance the person agreed to replace; another one needs another word. */
  agreed: string | null;
  onAgree: (applianceId: string | null) => void;
  /** When the old box stops. */
  when: string;
}

/** Says which box a site would lose, and asks for a word before it does. */
export function ReplacesBox({ box, siteName, agreed, onAgree, when }: ReplacesBoxProps) {
  const { applianceId, serial, lastCheckinAtMs } = box;
  return (
    <Note tone="warn" title={`${siteName} already has a box.`}>
      <p>
        It is {serial}, {lastCheckinAtMs === null ? 'which has never checked in' : 'last heard of '}
        {lastCheckinAtMs !== null && <TimeAgo atMs={lastCheckinAtMs} />}. {when} it is taken out of service for good.
      </p>
      <Checkbox
        mt={8}
        label={`Replace ${serial}`}
        checked={agreed === applianceId}
        onChange={(event) => onAgree(event.currentTarget.checked ? applianceId : null)}
      />
    </Note>
  );
}
