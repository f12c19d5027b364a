import { NativeSelect } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { ordersQuery } from '../../../api/queries/site.ts';
import type { Agent } from '../../../api/types.ts';
import { Loaded } from '../../../components/loaded.tsx';
import { Section } from '../../../components/section.tsx';
import { RowsSkeleton } from '../../../components/skeletons.tsx';
import { checkTitle } from '../../../words/checks.ts';
import { ORDERABLE, REPAIRS, type RepairAction } from '../../../words/repairs.ts';
import { OneRepair } from './one-repair.tsx';
import css from './repairs.module.css';

/** Every repair, whatever the checks say: for what is planned, like installing updates in a window. */
export function AnyRepair({ siteId, agent }: { siteId: string; agent: Agent }) {
  const orders = useQuery(ordersQuery(siteId));
  const [action, setAction] = useState<RepairAction>('security_updates_install');
  return (
    <Section id="repair" title="Order a repair">
      <div className={css.form}>
        <RepairSelect value={action} onChange={setAction} />
        <Loaded query={orders} what="The orders" skeleton={<RowsSkeleton rows={2} />}>
          {(list) => <OneRepair key={action} siteId={siteId} agent={agent} action={action} orders={list} />}
        </Loaded>
      </div>
    </Section>
  );
}

interface RepairSelectProps {
  value: RepairAction;
  onChange: (action: RepairAction) => void;
}

/** One of the repairs, with the check each is for. */
export const RepairSelect = ({ value, onChange }: RepairSelectProps) => (
  <NativeSelect
    className={css.select}
    label="Repair"
    value={value}
    data={ORDERABLE.map((action) => ({
      value: action,
      label: `${REPAIRS[action].name} (${checkTitle(REPAIRS[action].check ?? '')})`,
    }))}
    onChange={(event) => onChange(event.currentTarget.value as RepairAction)}
  />
);
