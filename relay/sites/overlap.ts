import { overlapReport } from '@sitewarden/agent-proto/rmm';
import type { Tx } from '../store/index.ts';
import { listAgents } from '../store/repositories/agents.ts';
import { readCurrentBox } from '../store/repositories/sites.ts';
import { assertSite } from './assert-site.ts';

/** Which workstation has which other management tool, from what the agents found last. Throws NOT_FOUND. */
export async function rmmOverlap(trx: Tx, siteId: string, nowMs: number) {
  await assertSite(trx, siteId);
  const current = await readCurrentBox(trx, siteId);
  const agents = current === undefined ? [] : await listAgents(trx, current.id);
  // One that never looked is not clean: it is left out and counted by itself.
  const looked = agents.flatMap(({ id, hostname, rmm }) =>
    rmm === null ? [] : [{ agentId: id, host: hostname, findings: rmm.findings }],
  );
  const { workstations, products, cleanCount } = overlapReport(looked);
  return {
    workstations: workstations.map(({ tools, fights, rivals, ...workstation }) => ({
      ...workstation,
      tools: [...tools],
      fights: [...fights],
      rivals: rivals.map(({ area, products: names }) => ({ area, products: [...names] })),
    })),
    products: [...products],
    cleanCount,
    neverLookedCount: agents.length - looked.length,
    asOfMs: nowMs,
  };
}
