import type { Bundle } from './bundle.ts';
import type { Packed } from './package-agent.ts';

const SHOWN_PARTS = 8;
const mib = (bytes: number): string => (bytes / 1024 / 1024).toFixed(1);

/** Sizes in MiB, for people. */
export function sizeTable(packed: readonly Packed[], bundle: Bundle): string {
  const head = ['file', 'MiB', 'node', 'bundle', 'addon', 'other', 'Node', 'SHA-256'];
  const rows = packed.map(({ file, bytes, parts, node, sha256 }) => [
    file,
    ...[bytes, parts.node, parts.bundle, parts.addon, parts.other].map(mib),
    node,
    sha256,
  ]);
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map((row) => row[i]?.length ?? 0)));
  const lines = [head, ...rows].map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const largest = bundle.parts.slice(0, SHOWN_PARTS).map(({ name, bytes }) => `${name} ${mib(bytes)}`);
  return [...lines, '', `Largest in the bundle (MiB): ${largest.join(', ')}`].join('\n');
}
