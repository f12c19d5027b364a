import { useSearchParams } from 'react-router';
import { Note } from '../../components/note.tsx';
import { RearmNote } from '../../components/rearm-note.tsx';
import { usePageTitle } from '../../layout/use-page-title.ts';
import { may } from '../../session/rights.ts';
import { useSession } from '../../session/session-gate.tsx';
import { CodesSection } from './codes-section.tsx';
import { MakeCode } from './make-code.tsx';
import { MakeSite } from './make-site.tsx';
import { PrintLabels } from './print-labels.tsx';
import css from './provisioning.module.css';
import { WaitingClaims } from './waiting-claims.tsx';

/** How do I get a box to a site? */
export function ProvisioningPage() {
  usePageTitle('Provisioning');
  const { role, name } = useSession();
  const [params] = useSearchParams();
  if (!may(role, 'provision'))
    return (
      <Note tone="info" title={`${name} has the role ${role}, which does not provision boxes.`}>
        Ask an admin of your MSP for the role operator or admin.
      </Note>
    );
  return (
    <div className={css.page}>
      <h1>Provisioning</h1>
      <div className={css.columns}>
        <div className={css.column}>
          <RearmNote />
          <WaitingClaims />
          <CodesSection />
        </div>
        <div className={css.column}>
          <MakeCode wantedSiteId={params.get('site')} />
          <PrintLabels />
          {may(role, 'configure') && <MakeSite />}
        </div>
      </div>
    </div>
  );
}
