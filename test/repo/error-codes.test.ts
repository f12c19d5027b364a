import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROTO_ERRORS } from '@sitewarden/agent-proto/errors';
import { BOX_ERRORS } from '@sitewarden/agent-proto/http';
import { kitErrors } from '@sitewarden/kit/errors';
import t from 'tap';
import { agentErrors } from '../../agent/errors.ts';
import { applianceErrors } from '../../appliance/errors.ts';
import { relayErrors } from '../../relay/errors.ts';
import { ROOT, sourceFiles, WORKSPACES } from './sources.ts';

interface Table {
  readonly codes: readonly string[];
  /** The file of the table: what it lists does not count as raised. */
  readonly file: string;
  /** Who may raise them, by the beginning of the path. */
  readonly sources: readonly string[];
  /** Codes of a peer that are handed on by their name; another table answers for them. */
  readonly handedOn?: Readonly<Record<string, unknown>>;
}

const ALL = ['agent-proto/', 'kit/', 'agent/', 'appliance/', 'relay/'];
/** Its verdicts carry the code that the relay answers with. */
const VERDICTS = [
  'agent-proto/http-signature/parse.ts',
  'agent-proto/http-signature/verify.ts',
  'agent-proto/evidence/',
];

const TABLES: Record<string, Table> = {
  'agent-proto': { codes: Object.keys(PROTO_ERRORS), file: 'agent-proto/errors/codes.ts', sources: ALL },
  'box errors': {
    codes: Object.keys(BOX_ERRORS),
    file: 'agent-proto/http/errors.ts',
    sources: ['relay/', ...VERDICTS],
  },
  kit: { codes: kitErrors.codes, file: 'kit/errors/kit-errors.ts', sources: ALL.slice(1) },
  agent: { codes: agentErrors.codes, file: 'agent/errors.ts', sources: ['agent/'] },
  appliance: {
    codes: applianceErrors.codes,
    file: 'appliance/errors.ts',
    sources: ['appliance/'],
    handedOn: BOX_ERRORS,
  },
  relay: { codes: relayErrors.codes, file: 'relay/errors.ts', sources: ['relay/', ...VERDICTS] },
};

const FILES = WORKSPACES.flatMap(sourceFiles);

/** What the sources say without their comments: a code named in a docstring is not raised there. */
function sourceText({ sources, file: table }: Table): string {
  return FILES.filter((file) => file !== table && sources.some((start) => file.startsWith(start)))
    .map((file) => readFileSync(join(ROOT, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, ''))
    .join('\n');
}

export const unraised = (codes: readonly string[], text: string): string[] =>
  codes.filter((code) => !new RegExp(`(['"\`])${code}\\1|\\b${code}:`).test(text));

for (const [name, table] of Object.entries(TABLES)) {
  t.test(`every error code of ${name} is raised somewhere in its sources`, async (t) => {
    const { codes, handedOn = {} } = table;
    t.ok(codes.length > 0);
    const missing = unraised(codes, sourceText(table));
    t.strictSame(
      missing.filter((code) => !Object.hasOwn(handedOn, code)),
      [],
    );
  });
}

t.test('a code that only its table knows is found', async (t) => {
  t.strictSame(unraised(['A_CODE', 'ANOTHER'], "throw make('A_CODE'); // A_CODE, NOT_ANOTHER"), ['ANOTHER']);
});
