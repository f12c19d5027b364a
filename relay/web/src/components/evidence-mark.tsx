import type { EvidenceState } from '../api/types.ts';
import { EVIDENCE } from '../words/status.ts';
import { Tag } from './tag.tsx';
import { TimeAgo } from './time-ago.tsx';

/** State of a whole log: cosigned, not yet, broken or none, with the age of the last cosignature. */
export function EvidenceMark({ state, bare }: { state: EvidenceState; bare?: boolean }) {
  return (
    <Tag sign={EVIDENCE[state.mark]} title={state.reason} bare={bare}>
      {state.lastCosignedAtMs === null ? undefined : <TimeAgo atMs={state.lastCosignedAtMs} quiet />}
    </Tag>
  );
}

/** The mark of one entry. Without an entry there is nothing to prove. */
export function EntryMark({ seq, cosigned }: { seq: number | null; cosigned: boolean }) {
  if (seq === null) return <Tag sign={{ ...EVIDENCE.none, word: 'No entry yet' }} bare />;
  return (
    <Tag
      sign={cosigned ? EVIDENCE.cosigned : EVIDENCE.pending}
      title={
        cosigned
          ? `Entry ${seq} is covered by the relay's cosignature: it can no longer be changed unnoticed.`
          : `Entry ${seq} waits for the relay's cosignature: until then the box could rewrite it.`
      }
      bare
    >
      entry {seq}
    </Tag>
  );
}
