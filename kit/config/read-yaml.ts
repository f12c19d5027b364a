import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  LineCounter,
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
  const early = checkText(text);
  const document = parseDocument(early === undefined ? text : '', {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: true,
    stringKeys: true,
    merge: false,
  });
  const issues = early === undefined ? [] : [early];
  for (const fault of [...document.errors, ...document.warnings]) issues.push(fromFault(fault, lines));
  if (issues.length === 0) issues.push(...refuseAliases(document, lines));
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

/** Limits that must hold before the parser, which recurses, sees the text. */
function checkText(text: string): ConfigIssue | undefined {
  const whole = { path: '', line: 1, column: 1 };
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_CONFIG_BYTES) {
    return { ...whole, message: `the file has ${bytes} bytes; at most ${MAX_CONFIG_BYTES} are read` };
  }
  return undefined;
}

function refuseAliases(document: Document, lines: LineCounter): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  visit(document, (_key, node, path) => {
    if (path.length > MAX_DEPTH * 2) {
      issues.push(
        issueAt(isNode(node) ? (node.range?.[0] ?? 0) : 0, lines, {
          path: '',
          message: `nested deeper than ${MAX_DEPTH} levels`,
        }),
      );
      return visit.BREAK;
    }
    if (isAlias(node)) {
      issues.push(
        issueAt(node.range?.[0] ?? 0, lines, {
          path: '',
          message: `the alias \`*${node.source}\` is not accepted`,
          hint: 'write the value out',
        }),
      );
    }
    return undefined;
  });
  return issues;
}

function fromFault(fault: YAMLError, lines: LineCounter): ConfigIssue {
  return issueAt(fault.pos[0], lines, { path: '', ...explain(fault) });
}

function explain(fault: YAMLError): { message: string; hint?: string } {
  const text = fault.message.split('\n')[0]!;
  switch (fault.code) {
    case 'TAB_AS_INDENT':
      return { message: 'a tab is used to indent', hint: 'indent with spaces' };
    case 'DUPLICATE_KEY':
      return { message: 'the key is given twice', hint: 'keep one of the two' };
    case 'MULTIPLE_DOCS':
      return { message: 'the file holds more than one document', hint: 'remove everything from the second `---` on' };
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
      const pair = node.items.find(
        (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(step),
      );
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
