import { useQuery } from '@tanstack/react-query';
import { useParams } from 'react-router';
import { isApiError } from '../../api/api-error.ts';
import { siteQuery } from '../../api/queries/site.ts';
import type { SiteDetail } from '../../api/types.ts';
import { Loaded } from '../../components/loaded.tsx';
import { RearmNote } from '../../components/rearm-note.tsx';
import { RowsSkeleton } from '../../components/skeletons.tsx';
import { usePageTitle } from '../../layout/use-page-title.ts';
import { may } from '../../session/rights.ts';
import { useSession } from '../../session/session-gate.tsx';
import { AgentsSection } from './agents/agents-section.tsx';
import { ApplianceSection } from './appliance/appliance-section.tsx';
import { CustodySection } from './custody/custody-section.tsx';
import { DevicesSection } from './devices/devices-section.tsx';
import { EvidenceSection } from './evidence/evidence-section.tsx';
import { IncidentsSection } from './incidents/incidents-section.tsx';
import { NoBox } from './no-box.tsx';
import { NoSite } from './no-site.tsx';
import { OrdersSection } from './orders/orders-section.tsx';
import { SectionNav } from './section-nav.tsx';
import { SeenSection } from './seen/seen-section.tsx';
import { SecretsSection } from './settings/secrets-section.tsx';
import { SettingsSection } from './settings/settings-section.tsx';
import { SiteHeader } from './site-header.tsx';
import css from './site-page.module.css';
import { TimelineSection } from './timeline/timeline-section.tsx';
import { useSectionScroll } from './use-section-scroll.ts';

/** What is going on at this site? */
export function SitePage() {
  const { siteId = '', section } = useParams();
  const site = useQuery(siteQuery(siteId));
  usePageTitle(site.data?.summary.name ?? 'Site');
  useSectionScroll(section, site.data !== undefined);
  if (isApiError(site.error) && (site.error.status === 404 || site.error.status === 400) && !site.data)
    return <NoSite />;
  return (
    <Loaded query={site} what="The site" skeleton={<RowsSkeleton rows={6} height={92} />}>
      {(detail) => <SiteBody siteId={siteId} detail={detail} />}
    </Loaded>
  );
}

function SiteBody({ siteId, detail }: { siteId: string; detail: SiteDetail }) {
  const { role } = useSession();
  const settings = may(role, 'configure') && <SettingsSection siteId={siteId} detail={detail} />;
  return (
    <div className={css.page}>
      <SiteHeader siteId={siteId} detail={detail} />
      <RearmNote siteId={siteId} />
      <SectionNav siteId={siteId} hasSettings={Boolean(settings)} />
      <div className={css.columns}>
        <div className={css.main}>
          {detail.appliance === null && <NoBox siteId={siteId} />}
          <IncidentsSection siteId={siteId} />
          <AgentsSection siteId={siteId} hasBox={detail.appliance !== null} />
          <EvidenceSection siteId={siteId} />
          <DevicesSection siteId={siteId} />
        </div>
        <div className={css.side}>
          {detail.appliance && (
            <ApplianceSection appliance={detail.appliance} status={detail.summary.status} asOfMs={detail.asOfMs} />
          )}
          <SeenSection siteId={siteId} />
          <OrdersSection siteId={siteId} />
          {settings}
          {settings && <SecretsSection siteId={siteId} />}
          <CustodySection siteId={siteId} hasBox={detail.appliance !== null} />
          <TimelineSection siteId={siteId} />
        </div>
      </div>
    </div>
  );
}
