import type { RmmFinding } from '@sitewarden/agent-proto/agent';
import type { RmmRow } from '@sitewarden/agent-proto/http';
import { cleanText } from '../lib/clean-text.ts';

const MAX_CHARS = 256;

/**
 * What is known after an agent has looked for other management tools; undefined when it is what was known before. Pure. A
 * tool keeps the time it was first found at as long as it stays. Found twice, the one that runs counts.
 */
export function rmmAfter(
  known: RmmRow | undefined,
  look: { readonly agentId: string; readonly found: readonly RmmFinding[]; readonly atMs: number },
): RmmRow | undefined {
  const byProduct = new Map<string, RmmRow['findings'][number]>();
  for (const { product: name, version, running, foundBy } of look.found) {
    const product = cleanText(name).slice(0, MAX_CHARS).toWellFormed();
    if (product.trim() === '' || (byProduct.has(product) && !running)) continue;
    const sinceMs = known?.findings.find((one) => one.product === product)?.sinceMs ?? look.atMs;
    byProduct.set(product, {
      product,
      version: cleanText(version).toWellFormed(),
      running,
      foundBy: cleanText(foundBy).toWellFormed(),
      sinceMs,
    });
  }
  const findings = [...byProduct.values()].sort((a, b) => (a.product < b.product ? -1 : 1));
  if (known !== undefined && JSON.stringify(known.findings) === JSON.stringify(findings)) return undefined;
  return { type: 'rmm', agentId: look.agentId, findings, lookedAtMs: look.atMs };
}
