import { isApiError } from '../../../api/api-error.ts';
import type { Agent } from '../../../api/types.ts';
import { ErrorNote } from '../../../components/error-note.tsx';
import type { TierFrom } from './repair-block.ts';
import { TierPlace } from './tier-place.tsx';

const isTierFrom = (value: unknown): value is TierFrom => value === 'agent' || value === 'group' || value === 'site';

/** Why the relay took no order; one that a tier forbids leads to that tier. */
export function RepairError({ siteId, agent, error }: { siteId: string; agent: Agent; error: unknown }) {
  const tierFrom = isApiError(error, 'ORDER_TIER_TOO_LOW') ? error.data.tierFrom : undefined;
  return (
    <>
      <ErrorNote what="Nothing was ordered" error={error} />
      {isTierFrom(tierFrom) && (
        <p className="small">
          <TierPlace siteId={siteId} agent={agent} tierFrom={tierFrom} />
        </p>
      )}
    </>
  );
}
