import { Icon } from '../icons/icon.tsx';
import type { IconName } from '../icons/paths.ts';
import { checkTitle } from '../words/checks.ts';
import css from './actor.module.css';

const KINDS: Record<string, { icon: IconName; says: string }> = {
  staff: { icon: 'person', says: 'Staff' },
  rule: { icon: 'wrench', says: 'Rule' },
  agent: { icon: 'laptop', says: 'An agent' },
  check: { icon: 'shieldOpen', says: 'Check' },
  system: { icon: 'box', says: 'The box' },
  appliance: { icon: 'box', says: 'The box' },
  box: { icon: 'box', says: 'The box' },
};
/** Their ids say nothing to a reader of one site's page. */
const NAMELESS = ['system', 'appliance', 'box', 'agent'];

/** "rule:restart-service" is a rule, "appliance:app_x" and "box" the box; a name without a kind is a person. */
export function readActor(actor: string): { icon: IconName; says: string; name: string } {
  const [, prefix = '', id = ''] = /^([a-z]+)(?::(.*))?$/s.exec(actor) ?? [];
  const kind = KINDS[prefix];
  if (!kind) return { icon: 'person', says: 'Staff', name: actor };
  if (prefix === 'check') return { ...kind, name: checkTitle(id) };
  return { ...kind, name: id === '' || NAMELESS.includes(prefix) ? kind.says : id };
}

/** Who did it: a person, a rule, an agent or the box itself. */
export function Actor({ actor }: { actor: string }) {
  if (actor === '') return null;
  const { icon, says, name } = readActor(actor);
  return (
    <span className={css.actor} title={says === name ? actor : `${says}: ${name}`}>
      <Icon name={icon} size={13} />
      <span className="visually-hidden">{says === name ? '' : `${says} `}</span>
      {name}
    </span>
  );
}
