import type { Facts } from '@sitewarden/agent-proto/agent';
import type { ActionContext, Sight } from '../actions/types.ts';
import type { Argv } from '../host.ts';
import { notPossible, type Plan, refused, stateUnknown, toolStep } from '../plan.ts';
import type { Way } from '../repair.ts';

const TABLE = ['inet', 'sitewarden'] as const;

/**
 * A table of our own: it drops what nobody asked for and touches no other table. Declared and deleted first, so that it is
 * the same however often it is loaded; nft takes the whole of it or nothing. ICMP carries IPv6's neighbours and path MTU,
 * 546 is the answer to DHCPv6, which connection tracking does not relate to its multicast question.
 */
const RULESET = `table ${TABLE.join(' ')}
delete table ${TABLE.join(' ')}
table ${TABLE.join(' ')} {
  chain input {
    type filter hook input priority 0; policy drop;
    ct state established,related accept
    iif "lo" accept
    meta l4proto { icmp, ipv6-icmp } accept
    udp sport 547 udp dport 546 accept
  }
}
`;

/** Whoever manages the firewall here turns it on; rules of our own only where nobody does. */
export const firewallLinux: Way<unknown> = {
  async plan(before, _params, context) {
    const { facts, status } = before;
    if (status === 'pass') return { nothing: 'the firewall is on.' };
    if (facts.probe_error !== undefined || facts.active === undefined) return stateUnknown(before);
    if (facts.active === true) {
      return refused(
        'RULED_ELSEWHERE',
        'A firewall is on, and its own rules let too much in. Change those rules, or remove them.',
      );
    }
    const { host, signal, services } = context;
    const has = async (argv: Argv): Promise<boolean> => !(await host.run(argv, { signal })).missing;
    if (await has(['firewall-cmd', '--version'])) {
      const words = 'start the service firewalld';
      return on('firewalld', { words, run: () => services.start('firewalld', { signal }) });
    }
    if (await has(['ufw', 'version'])) {
      return on('ufw', toolStep(['ufw', '--force', 'enable'], { host, signal, packageName: 'ufw' }));
    }
    if (!(await has(['nft', '--version']))) {
      return notPossible('This workstation has neither firewalld nor ufw nor nft. Install nftables or ufw.');
    }
    const words = 'nft -f - (table inet sitewarden: input drops what nobody asked for)';
    const load = toolStep(['nft', '-f', '-'], { host, signal, packageName: 'nftables', input: RULESET, words });
    // The kernel forgets the table at its next start.
    return on('nft', load, 'The rules hold until the next start of this workstation. Install ufw to keep them.');
  },
  async undo(kept, before, context) {
    const { host, signal, services } = context;
    if (before.facts.active === false) return { nothing: 'the firewall is off already.' };
    switch (kept.way) {
      case 'firewalld': {
        const words = 'stop the service firewalld';
        return off(before, { words, run: () => services.stop('firewalld', { signal }) });
      }
      case 'ufw':
        return off(before, toolStep(['ufw', 'disable'], { host, signal, packageName: 'ufw' }));
      case 'nft':
        return undoTable(before, context);
      default:
        return { refusal: { code: 'UNDO_UNKNOWN' } };
    }
  },
};

async function undoTable(before: Sight, { host, signal }: ActionContext): Promise<Plan> {
  const listed = await host.run(['nft', 'list', 'table', ...TABLE], { signal });
  if (!listed.ok) return { nothing: 'the rules of the agent are not loaded any more.' };
  return off(before, toolStep(['nft', 'delete', 'table', ...TABLE], { host, signal, packageName: 'nftables' }));
}

const isOn = ({ facts, status }: Sight): boolean => facts.active === true && status !== 'fail';

function on(way: string, step: ReturnType<typeof toolStep>, note = ''): Plan {
  const keep: Facts = { way };
  return {
    steps: [step],
    keep,
    isDone: isOn,
    note: () => note,
    settleMs: 5000,
    doubt: 'The firewall was turned on and does not keep out what no rule names. Look at its default policy.',
  };
}

/** Rules that others loaded since stay, and then the firewall is still on. */
function off({ facts }: Sight, step: ReturnType<typeof toolStep>): Plan {
  const rules = Number(facts.rule_count ?? 0);
  return {
    steps: [step],
    isDone: ({ facts: after }) => after.active === false || Number(after.rule_count ?? rules) < rules,
    settleMs: 5000,
  };
}
