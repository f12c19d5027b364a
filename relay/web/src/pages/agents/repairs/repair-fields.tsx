import { NativeSelect, TextInput } from '@mantine/core';
import { IDLE_SECONDS, REPAIRS, type RepairAction } from '../../../words/repairs.ts';
import type { DraftField, RepairDraft } from './repair-draft.ts';
import css from './repairs.module.css';

const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;
const OTHER = '';

interface RepairFieldsProps {
  action: RepairAction;
  draft: RepairDraft;
  faults: Partial<Record<DraftField, string>>;
  /** Required at the site: the agent touches no other service. */
  services: readonly string[];
  /** The check names the service: it is not asked for. */
  isServiceFixed?: boolean;
  onEdit: (change: Partial<RepairDraft>) => void;
}

/** The parameters of a repair; nothing for one that has none. */
export function RepairFields(props: RepairFieldsProps) {
  const { action, draft, faults, services, isServiceFixed, onEdit } = props;
  const { params } = REPAIRS[action];
  if (params.includes('service') && isServiceFixed) return null;
  if (params.includes('service'))
    return <ServiceFields draft={draft} fault={faults.service} services={services} onEdit={onEdit} />;
  if (params.includes('idle_seconds')) {
    return (
      <TextInput
        className={css.field}
        label="Lock after, in seconds"
        description={`${IDLE_SECONDS.min} to ${IDLE_SECONDS.max}`}
        inputMode="numeric"
        value={draft.idleSeconds}
        error={faults.idleSeconds}
        onChange={(event) => onEdit({ idleSeconds: event.currentTarget.value })}
      />
    );
  }
  if (!params.includes('window_start_ms')) return null;
  return (
    <div className={css.fields}>
      <TextInput
        className={css.field}
        type="datetime-local"
        label="Window begins"
        description={`In your time, ${ZONE}`}
        value={draft.windowStart}
        error={faults.windowStart}
        onChange={(event) => onEdit({ windowStart: event.currentTarget.value })}
      />
      <TextInput
        className={css.field}
        label="It lasts, in hours"
        description="At most 24; ends within 7 days"
        inputMode="decimal"
        value={draft.windowHours}
        error={faults.windowHours}
        onChange={(event) => onEdit({ windowHours: event.currentTarget.value })}
      />
    </div>
  );
}

type ServiceFieldsProps = Pick<RepairFieldsProps, 'draft' | 'services' | 'onEdit'> & { fault: string | undefined };

function ServiceFields({ draft, services, fault, onEdit }: ServiceFieldsProps) {
  const isListed = services.includes(draft.service);
  return (
    <div className={css.fields}>
      {services.length > 0 && (
        <NativeSelect
          className={css.field}
          label="Service"
          description="Required at this site"
          value={isListed ? draft.service : OTHER}
          data={[...services.map((name) => ({ value: name, label: name })), { value: OTHER, label: 'Another one' }]}
          onChange={(event) => onEdit({ service: event.currentTarget.value })}
        />
      )}
      {!isListed && (
        <TextInput
          className={css.field}
          label="Name of the service"
          description="The agent touches required services only"
          value={draft.service}
          error={draft.service === '' ? undefined : fault}
          onChange={(event) => onEdit({ service: event.currentTarget.value })}
        />
      )}
    </div>
  );
}
