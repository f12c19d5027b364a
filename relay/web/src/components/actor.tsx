import { Icon } from '../icons/icon';
import type { IconName } from '../icons/paths';
import css from './actor.module.css';

const KINDS: Record<string, { icon: IconName; says: string }> = {
  staff: { icon: 'person', says: 'Staff' },
  rule: { icon: 'wrench', says: 'Rule' },
  agent: { icon: 'laptop', says: 'Agent' },
  system: { icon: 'box', says: 'The box' },
};

/** "rule:restart-service" is a rule, "system" the box; a name without a kind is a person. */
export function readActor(actor: string): { icon: IconName; says: string; name: string } {
  const cut = actor.indexOf(':');
  const kind = KINDS[cut < 0 ? actor : actor.slice(0, cut)];
  if (!kind) return { icon: 'person', says: 'Staff', name: actor };
  return { ...kind, name: cut < 0 ? kind.says : actor.slice(cut + 1) };
}

/** Who did it: a person, a rule, an agent or the box itself. */
export function Actor({ actor }: { actor: string }) {
  if (actor === '') return null;
  const { icon, says, name } = readActor(actor);
  return (
    <span className={css.actor} title={`${says}: ${name}`}>
      <Icon name={icon} size={13} />
      <span className="visually-hidden">{says === name ? '' : `${says} `}</span>
      {name}
    </span>
  );
}
