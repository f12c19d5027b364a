import { Link } from 'react-router';
import type { Agent } from '../../../api/types.ts';
import { may } from '../../../session/rights.ts';
import { useSession } from '../../../session/session-gate.tsx';
import type { TierFrom } from './repair-block.ts';

interface TierPlaceProps {
  siteId: string;
  agent: Pick<Agent, 'id' | 'groupId'>;
  tierFrom: TierFrom;
}

const PLACES: Record<TierFrom, string> = {
  agent: 'on the page of the workstation',
  group: 'at its group',
  site: 'in the settings of the site',
};

/** Leads to where the tier is set; somebody who may not set it is told whom to ask. */
export function TierPlace({ siteId, agent, tierFrom }: TierPlaceProps) {
  const { role } = useSession();
  const ownPage = `/sites/${siteId}/agents/${agent.id}#tier`;
  if (!may(role, 'configure')) {
    return (
      <>
        Ask an admin: it is set {PLACES[tierFrom]}. <Link to={ownPage}>See its tier</Link>
      </>
    );
  }
  const to = { agent: ownPage, group: `/sites/${siteId}/agents#groups`, site: `/sites/${siteId}/settings` }[tierFrom];
  return (
    <>
      <Link to={to}>Raise it {PLACES[tierFrom]}</Link>
      {tierFrom !== 'agent' && (
        <>
          {' '}
          or <Link to={ownPage}>for this workstation alone</Link>
        </>
      )}
    </>
  );
}
