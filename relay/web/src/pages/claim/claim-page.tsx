import { Note } from '../../components/note.tsx';
import { LiveBanner } from '../../layout/live-banner.tsx';
import { PhoneShell } from '../../layout/phone-shell.tsx';
import { usePageTitle } from '../../layout/use-page-title.ts';
import { may } from '../../session/rights.ts';
import { useSession } from '../../session/session-gate.tsx';
import { FoundBox } from './found-box.tsx';
import { ScanHelp } from './scan-help.tsx';
import { useScanned } from './use-scanned.ts';

/** Is this the right box and the right site? */
export function ClaimPage() {
  usePageTitle('Claim a box');
  const { role, name } = useSession();
  const [scanned, drop] = useScanned();
  return (
    <PhoneShell>
      <h1>Claim a box</h1>
      <LiveBanner />
      {!may(role, 'claim') ? (
        <Note tone="warn" title={`${name} may look at sites but not claim boxes.`}>
          Ask an admin of your MSP for the role technician, operator or admin, then scan the code again.
        </Note>
      ) : scanned.kind === 'claim' ? (
        <FoundBox key={scanned.claim.fingerprint} claim={scanned.claim} onDrop={drop} />
      ) : (
        <>
          {scanned.kind === 'unreadable' && (
            <Note tone="warn" role="alert" title="This is not a whole Sitewarden code.">
              Part of it was not read. Hold the camera steady over the whole code and scan it again.
            </Note>
          )}
          <ScanHelp />
        </>
      )}
    </PhoneShell>
  );
}
