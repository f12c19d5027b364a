import { useEffect, useState } from 'react';
import { takeFragment } from '../../session/fragment';
import { dropScan, keepScanned, keptScan, readClaim, type ScannedClaim } from '../../session/scanned-claim';

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
  useEffect(() => {
    // A second scan into the same tab changes the fragment only.
    const onHash = () => {
      const fragment = takeFragment();
      if (fragment === null) return;
      keepScanned(fragment);
      setScanned(look());
    };
    globalThis.addEventListener('hashchange', onHash);
    return () => globalThis.removeEventListener('hashchange', onHash);
  }, []);
  const drop = () => {
    dropScan();
    setScanned({ kind: 'none' });
  };
  return [scanned, drop];
}
