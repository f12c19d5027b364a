import { type Static, Type } from '@sinclair/typebox';
import { closed, UnixMs } from '../http/common.ts';
import { compile, onDemand, type Validator } from '../http/validate.ts';

/** Says what would be done, and changes nothing. */
const dry_run = Type.Optional(Type.Boolean());
/** As kit's service managers take them. No slash and no leading hyphen. */
const Service = Type.String({
  pattern: '^[A-Za-z0-9@._][A-Za-z0-9@._-]{0,63}$',
  description: 'the name of one service',
});
const OrderId = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$', description: 'the id of an order' });
/** A shorter time locks people out while they read; a longer one fails the check. */
const IdleSeconds = Type.Integer({ minimum: 60, maximum: 900 });

/** As the installers' manifest writes it. */
const Version = Type.String({ pattern: '^[0-9][0-9A-Za-z.+-]{0,63}$', description: 'a version like 1.2.3' });

/** Parameters of every action that mends something on a workstation, closed: a name that is not here is refused. */
export const ACTION_PARAMS = {
  firewall_on: closed({ dry_run }),
  defender_start: closed({ dry_run }),
  signatures_update: closed({ dry_run }),
  screenlock_policy: closed({ idle_seconds: IdleSeconds, dry_run }),
  restart_service: closed({ service: Service, dry_run }),
  start_service: closed({ service: Service, dry_run }),
  security_updates_scan: closed({ dry_run }),
  /** The maintenance window, on the appliance's clock. */
  security_updates_install: closed({ window_start_ms: UnixMs, window_end_ms: UnixMs, dry_run }),
  bitlocker_resume: closed({ dry_run }),
  /** To the version of the box's installers; a version that is not newer has to be named. */
  update_agent: closed({ version: Type.Optional(Version), dry_run }),
  /** Puts back what an earlier order changed. */
  undo: closed({ order_id: OrderId, dry_run }),
} as const;

export type MendingAction = keyof typeof ACTION_PARAMS;
export const MENDING_ACTIONS = Object.keys(ACTION_PARAMS) as MendingAction[];
export const isMendingAction = (name: string): name is MendingAction => Object.hasOwn(ACTION_PARAMS, name);
export type ActionParams<N extends MendingAction> = Static<(typeof ACTION_PARAMS)[N]>;

const validatorOf = onDemand((name: MendingAction): Validator<unknown> => compile(ACTION_PARAMS[name]));

/** Compiled at the first call. */
export function validateActionParams<N extends MendingAction>(
  name: N,
  params: unknown,
): ReturnType<Validator<ActionParams<N>>> {
  return validatorOf(name)(params) as ReturnType<Validator<ActionParams<N>>>;
}
