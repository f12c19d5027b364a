import {
  type Document,
  isMap,
  isNode,
  isScalar,
  LineCounter,
  type Node,
  parseDocument,
  visit,
  type YAMLError,
} from 'yaml';
import type { ConfigIssue } from './types.ts';

/** Far above any configuration written by people; below what makes a parser slow. */
export const MAX_CONFIG_BYTES = 256 * 1024;
const MAX_DEPTH = 32;

export interface YamlFile {
  readonly document: Document;
  readonly lines: LineCounter;
  /** Undefined when there are issues. */
  readonly value: unknown;
  readonly issues: readonly ConfigIssue[];
}

/** Parses YAML 1.2 (core schema). Every fault becomes an issue; nothing is thrown. */
export function readYaml(text: string): YamlFile {
  const lines = new LineCounter();
  const bytes = Buffer.byteLength(text);
  const isTooBig = bytes > MAX_CONFIG_BYTES;
  const document = parseDocument(isTooBig ? '' : text, {
    lineCounter: lines,
    prettyErrors: false,
    // The library compares each key with all others; `refuseInside` does it in linear time.
    uniqueKeys: false,
    stringKeys: true,
    merge: false,
  });
  const issues: ConfigIssue[] = [];
  if (isTooBig) {
    issues.push({
      path: '',
      line: 1,
      column: 1,
      message: `the file has ${bytes} bytes, more than ${MAX_CONFIG_BYTES}`,
      hint: 'split it, or remove what is not needed',
    });
  }
  const faults = [...document.errors, ...document.warnings];
  const overflow = faults.find((fault) => fault.message.includes('call stack'));
  if (overflow !== undefined) issues.push(tooDeep(overflow.pos[0], lines));
  else issues.push(...faults.map((fault) => issueAt(fault.pos[0], lines, { path: '', ...explain(fault) })));
  if (issues.length === 0) issues.push(...refuseInside(document, lines));
  return { document, lines, issues, value: issues.length === 0 ? document.toJS() : undefined };
}

export function issueAt(
  offset: number,
  lines: LineCounter,
  issue: { path: string; message: string; hint?: string | undefined },
): ConfigIssue {
  const { line, col } = lines.linePos(offset);
  return {
    path: issue.path,
    line: Math.max(1, line),
    column: Math.max(1, col),
    message: issue.message,
    ...(issue.hint === undefined ? {} : { hint: issue.hint }),
  };
}

/** What YAML allows and a configuration does not: aliases (a few lines can stand for gigabytes), twins, bottomless pits. */
function refuseInside(document: Document, lines: LineCounter): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  const at = (node: Node, message: string, hint: string) =>
    issues.push(issueAt(node.range?.[0] ?? 0, lines, { path: '', message, hint }));
  visit(document, {
    Alias: (_key, node) => {
      at(node, `the alias \`*${node.source}\` is not accepted`, 'write the value out');
    },
    Collection: (_key, node, path) => {
      // Between two collections the path holds a pair at most.
      if (path.length > MAX_DEPTH * 2) {
        issues.push(tooDeep(node.range?.[0] ?? 0, lines));
        return visit.BREAK;
      }
      if (!isMap(node)) return undefined;
      const seen = new Set<unknown>();
      for (const { key } of node.items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value)) at(key, `the key \`${key.value}\` is given twice`, 'keep one of the two');
        seen.add(key.value);
      }
      return undefined;
    },
  });
  return issues;
}

function tooDeep(offset: number, lines: LineCounter): ConfigIssue {
  return issueAt(offset, lines, { path: '', message: `nested deeper than ${MAX_DEPTH} levels`, hint: 'nest it less' });
}

function explain(fault: YAMLError): { message: string; hint?: string } {
  const text = fault.message.split('\n')[0]!.slice(0, 200);
  switch (fault.code) {
    case 'TAB_AS_INDENT':
      return { message: 'a tab is used to indent', hint: 'indent with spaces' };
    case 'MULTIPLE_DOCS':
      return { message: 'the file holds more than one document', hint: 'remove everything from the second `---` on' };
    case 'NON_STRING_KEY':
      return { message: 'the key is not plain text', hint: 'write one word, or put it in quotes' };
    case 'TAG_RESOLVE_FAILED':
      return { message: text, hint: 'remove the tag' };
    default:
      return { message: `not valid YAML: ${text}` };
  }
}

/** Offset of the value at `path`, or of its key where `atKey`; the nearest parent that exists otherwise. */
export function offsetOf(document: Document, path: readonly (string | number)[], atKey: boolean): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const [depth, step] of path.entries()) {
    const isLast = depth === path.length - 1;
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(step));
      if (pair === undefined) return offset;
      const keyAt = startOf(pair.key);
      node = pair.value;
      offset = (isLast && atKey ? keyAt : (startOf(node) ?? keyAt)) ?? offset;
    } else if (isNode(node) && 'items' in node && Array.isArray(node.items)) {
      node = node.items[Number(step)];
      offset = startOf(node) ?? offset;
    } else {
      return offset;
    }
  }
  return offset;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
