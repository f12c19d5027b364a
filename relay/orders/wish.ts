import { isMendingAction, windowOf } from '@sitewarden/agent-proto/actions';
import { CHECK_NAMES } from '@sitewarden/agent-proto/checks';
import {
  compileFaults,
  type Fault,
  ORDER_PARAMS,
  type OrderAction,
  type OrderPayload,
  onDemand,
} from '@sitewarden/agent-proto/http';
import { relayErrors } from '../errors.ts';

export interface OrderWish {
  action: OrderAction;
  agentId?: string;
  checks?: readonly string[];
  /** Of an action that mends something, without the agent. */
  params?: Readonly<Record<string, unknown>>;
}

type Params = OrderPayload['params'];

const faultsOf = onDemand((action: OrderAction) => compileFaults(ORDER_PARAMS[action]));

/** The parameters of the order, by ORDER_PARAMS. Throws BODY_INVALID naming every field at fault as the body has it. */
export function paramsOfWish(wish: OrderWish): Params {
  const { action, agentId, checks, params = {} } = wish;
  if (action !== 'run_check' && agentId === undefined) {
    throw invalid([{ field: '/agentId', detail: `${action} is for one agent: name it` }]);
  }
  const stray: Fault[] = [];
  if (action !== 'run_check' && checks !== undefined) {
    stray.push({ field: '/checks', detail: `${action} takes no checks` });
  }
  if (!isMendingAction(action) && wish.params !== undefined) {
    stray.push({ field: '/params', detail: `${action} takes no params: leave them out` });
  }
  // With the order they would name another agent than the body does.
  if (Object.hasOwn(params, 'agent_id')) {
    stray.push({ field: '/params/agent_id', detail: 'the agent is named by agentId: leave it out here' });
  }
  if (stray.length > 0) throw invalid(stray);
  const unknown = checks?.findIndex((name) => !(CHECK_NAMES as readonly string[]).includes(name)) ?? -1;
  if (unknown >= 0) {
    const detail = `There is no check ${checks?.[unknown]}; known are ${CHECK_NAMES.join(', ')}`;
    throw relayErrors.make('BODY_INVALID', { field: `/checks/${unknown}`, detail });
  }
  const made = {
    ...(agentId === undefined ? {} : { agent_id: agentId }),
    ...(checks === undefined ? {} : { checks: [...checks] }),
    ...params,
  };
  const faults = faultsOf(action)(made);
  if (faults.length > 0) throw invalid(faults.map(({ field, detail }) => ({ field: fieldOfBody(field), detail })));
  return made as Params;
}

/** A parameter as the body names it. */
function fieldOfBody(field: string): string {
  if (field === '/agent_id') return '/agentId';
  return field.startsWith('/checks') ? field : `/params${field === '/' ? '' : field}`;
}

function invalid(faults: readonly Fault[]): Error {
  const [first] = faults;
  const detail =
    faults.length === 1 ? first?.detail : faults.map((fault) => `${fault.field.slice(1)}: ${fault.detail}`).join('; ');
  return relayErrors.make('BODY_INVALID', { field: first?.field, detail });
}

export const isDryRun = (params: Readonly<Record<string, unknown>>): boolean => params.dry_run === true;

/** The window that the order has to live for; a dry run is told at once. */
export const windowOfOrder = (params: Params) => (isDryRun(params) ? undefined : windowOf(params));
