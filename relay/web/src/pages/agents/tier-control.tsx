import { Button, NativeSelect } from '@mantine/core';
import { useState } from 'react';
import type { Agent, Tier } from '../../api/types.ts';
import { formatCount } from '../../clock/format.ts';
import { ErrorNote } from '../../components/error-note.tsx';
import { Tag } from '../../components/tag.tsx';
import { may } from '../../session/rights.ts';
import { useSession } from '../../session/session-gate.tsx';
import { TIERS } from '../../words/work.ts';
import css from './agents-page.module.css';
import { GroupControl } from './groups/move-agents.tsx';
import { useGroups } from './groups/use-groups.ts';
import { useSetTier } from './use-set-tier.ts';

const FOLLOW = 'follow';
const CHOICES = [
  { value: FOLLOW, label: 'As its group or site' },
  ...TIERS.map(({ name }, tier) => ({ value: String(tier), label: name })),
];
const tierOf = (value: string): Tier | null => (value === FOLLOW ? null : (Number(value) as Tier));

const FROM: Record<Agent['tierFrom'], string> = {
  agent: 'set for this workstation',
  group: 'from its group',
  site: 'from the site',
};

/** What is in force, what is wanted and by whom, and whether the box has said that it goes by it. */
export function TierWords({ siteId, agent }: { siteId: string; agent: Agent }) {
  const { tier, wantedTier, tierFrom, groupId } = agent;
  const group = useGroups(siteId).find(({ id }) => id === groupId)?.name;
  const from = tierFrom === 'group' && group !== undefined ? `${FROM.group} ${group}` : FROM[tierFrom];
  return (
    <p className="small">
      In force: <strong>{TIERS[tier].name}</strong>, {TIERS[tier].does}.{' '}
      {wantedTier === tier ? (
        <span className="dim">It is {from}.</span>
      ) : (
        <>
          <Tag bare sign={{ tone: 'info', icon: 'clock', word: `Wanted: ${TIERS[wantedTier].name}` }} />{' '}
          <span className="dim">
            {from}; the box has not said yet that the agent goes by it. It does at its next contact.
          </span>
        </>
      )}
    </p>
  );
}

/** The tier of one workstation; only admins may change it. */
export function TierControl({ siteId, agent }: { siteId: string; agent: Agent }) {
  const { role } = useSession();
  const change = useSetTier(siteId);
  return (
    <div className={css.tier}>
      <TierWords siteId={siteId} agent={agent} />
      {may(role, 'configure') && (
        <NativeSelect
          size="sm"
          label={`Tier of ${agent.hostname}`}
          data={CHOICES}
          value={agent.tierFrom === 'agent' ? String(agent.wantedTier) : FOLLOW}
          disabled={change.isPending}
          onChange={(event) => change.mutate({ agentIds: [agent.id], tier: tierOf(event.currentTarget.value) })}
        />
      )}
      {may(role, 'configure') && <GroupControl siteId={siteId} agent={agent} />}
      {change.isError && <ErrorNote what="The tier was not set and is shown as before" error={change.error} />}
    </div>
  );
}

/** One tier for all that are selected, never for some only. */
export function BulkTier({ siteId, agentIds }: { siteId: string; agentIds: string[] }) {
  const { role } = useSession();
  const change = useSetTier(siteId);
  const [value, setValue] = useState(FOLLOW);
  if (!may(role, 'configure') || agentIds.length === 0) return null;
  return (
    <>
      <span className={css.inline}>
        <NativeSelect
          size="sm"
          aria-label="Tier for the selected"
          data={CHOICES}
          value={value}
          onChange={(event) => setValue(event.currentTarget.value)}
        />
        <Button
          variant="default"
          loading={change.isPending}
          onClick={() => change.mutate({ agentIds, tier: tierOf(value) })}
        >
          Set tier of {formatCount(agentIds.length)} selected
        </Button>
      </span>
      {change.isSuccess && (
        <span className="small dim" role="status">
          Set. It is in force once the box says so.
        </span>
      )}
      {change.isError && <ErrorNote what="No tier was set; they are shown as before" error={change.error} />}
    </>
  );
}
