import { Note } from '../../components/note';
import { LiveBanner } from '../../layout/live-banner';
import { PhoneShell } from '../../layout/phone-shell';
import { usePageTitle } from '../../layout/use-page-title';
import { may } from '../../session/rights';
import { useSession } from '../../session/session-gate';
import { FoundBox } from './found-box';
import { ScanHelp } from './scan-help';
import { useScanned } from './use-scanned';

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
