import { useEffect, useState } from 'react';
import { onFragment } from '../../session/fragment.ts';
import { dropScan, keptScan, readClaim, type ScannedClaim } from '../../session/scanned-claim.ts';

export type Scanned = { kind: 'none' } | { kind: 'unreadable' } | { kind: 'claim'; claim: ScannedClaim };

function look(): Scanned {
  const fragment = keptScan();
  if (fragment === null) return { kind: 'none' };
  const claim = readClaim(fragment);
  return claim ? { kind: 'claim', claim } : { kind: 'unreadable' };
}

/** What was scanned, and a way to forget it. */
export function useScanned(): [Scanned, () => void] {
  const [scanned, setScanned] = useState(look);
  useEffect(() => onFragment('/claim', () => setScanned(look())), []);
  const drop = () => {
    dropScan();
    setScanned({ kind: 'none' });
  };
  return [scanned, drop];
}
