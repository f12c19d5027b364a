import { useQuery } from '@tanstack/react-query';
import { claimSessionsQuery } from '../../api/queries/provisioning.ts';
import type { ClaimSession } from '../../api/types.ts';
import { plural } from '../../clock/format.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { Loaded } from '../../components/loaded.tsx';
import { Section } from '../../components/section.tsx';
import { RowsSkeleton } from '../../components/skeletons.tsx';
import { ClaimRow } from './claim-row.tsx';

const waits = (claim: ClaimSession) => claim.state === 'claimed';

/** Claims that need an admin first, recent ones after them. */
export function WaitingClaims() {
  const claims = useQuery(claimSessionsQuery);
  const waiting = claims.data?.sessions.filter(waits).length ?? 0;
  return (
    <Section
      id="claims"
      title="Boxes being claimed"
      aside={waiting > 0 && plural(waiting, 'box waits for approval', 'boxes wait for approval')}
    >
      <Loaded query={claims} what="The claims" skeleton={<RowsSkeleton rows={2} height={60} />}>
        {({ sessions }) =>
          sessions.length === 0 ? (
            <EmptyState small icon="box" title="No box is being claimed">
              A box appears here when its code is claimed, with the number to compare.
            </EmptyState>
          ) : (
            <ul>
              {[...sessions]
                .sort((a, b) => Number(waits(b)) - Number(waits(a)) || b.startedAtMs - a.startedAtMs)
                .map((claim) => (
                  <ClaimRow key={claim.session} claim={claim} />
                ))}
            </ul>
          )
        }
      </Loaded>
    </Section>
  );
}
