import { Type } from '@sinclair/typebox';
import { type ConfigIssue, describeConfig, formatIssues, loadConfig, MAX_CONFIG_BYTES } from '@sitewarden/kit/config';
import fc from 'fast-check';
import t from 'tap';

const probe = Type.Union([
  Type.Object({ kind: Type.Literal('tcp'), port: Type.Integer() }),
  Type.Object({ kind: Type.Literal('http'), url: Type.String() }),
]);
const schema = Type.Object({
  intervals: Type.Object({
    heartbeatMs: Type.Integer({ default: 60_000, minimum: 1000, description: 'Time between two heartbeats.' }),
  }),
  level: Type.Union([Type.Literal('info'), Type.Literal('debug')], {
    default: 'info',
    description: 'How much is logged.',
  }),
  relay: Type.Object({
    url: Type.String({ format: 'uri', description: 'Address of the relay.', 'x-restart': true }),
    token: Type.Optional(Type.String({ description: 'Enrolment token.' })),
  }),
  probes: Type.Array(probe, { default: [] }),
  enabled: Type.Boolean({ default: true }),
  labels: Type.Record(Type.String(), Type.String(), { default: {} }),
});
const MINIMAL = 'relay: {url: "https://relay.example"}\n';

function issuesOf(text: string): readonly ConfigIssue[] {
  const result = loadConfig(schema, text, 'site.yaml');
  return result.ok ? [] : result.issues;
}

const lines = (text: string) => formatIssues(issuesOf(text), 'site.yaml').split('\n');

t.test('a small file gets every default, nested groups too', async (t) => {
  const result = loadConfig(schema, MINIMAL, 'site.yaml');
  t.strictSame(result, {
    ok: true,
    value: {
      relay: { url: 'https://relay.example' },
      intervals: { heartbeatMs: 60_000 },
      level: 'info',
      probes: [],
      enabled: true,
      labels: {},
    },
  });
  if (result.ok) t.equal(result.value.intervals.heartbeatMs + 0, 60_000, 'typed by the schema');
});

t.test('defaults of one load are not shared with the next', async (t) => {
  const first = loadConfig(schema, MINIMAL, 'a');
  if (first.ok) first.value.labels.changed = 'yes';
  const second = loadConfig(schema, MINIMAL, 'a');
  t.match(second, { ok: true });
  t.strictSame(second.ok && second.value.labels, {});
});

t.test('all faults are told at once, each at its line and column with a hint', async (t) => {
  const text = `
intrvals: 1
relay:
  url: nope
  token: 1234
level: dbug
probes:
  - kind: tcp
    port: "80"
  - kind: http
    prot: 3
    url: x
  - kind: ftp
  - 3
enabled: yes
labels: {a: 1, b: c}
intervals: {heartbeatMs: 10}
`;
  t.strictSame(lines(text), [
    'site.yaml:2:1: intrvals: unknown key `intrvals` (did you mean `intervals`?)',
    'site.yaml:4:8: relay.url: must be a valid uri, but is `nope`',
    'site.yaml:5:10: relay.token: must be text, but is something else (put it in quotes)',
    'site.yaml:6:8: level: must be one of `info`, `debug`, but is `dbug` (did you mean `debug`?)',
    'site.yaml:9:11: probes[0].port: must be a whole number, but is `80` (remove the quotes)',
    'site.yaml:11:5: probes[1].prot: unknown key `prot` (known keys: kind, url)',
    'site.yaml:13:11: probes[2].kind: must be one of `tcp`, `http`, but is `ftp`',
    'site.yaml:14:5: probes[3]: must be a group of keys, but is 3',
    'site.yaml:15:10: enabled: must be true or false, but is `yes` (YAML 1.2 reads `yes` as text: write true)',
    'site.yaml:16:13: labels.a: must be text, but is 1 (put it in quotes)',
    'site.yaml:17:26: intervals.heartbeatMs: must be >= 1000, but is 10',
  ]);
});

t.test('a missing key is named with what it is for', async (t) => {
  t.strictSame(lines('relay: {}'), ['site.yaml:1:8: relay.url: the key `url` is missing (Address of the relay.)']);
  t.strictSame(lines(''), ['site.yaml:1:1: relay: the key `relay` is missing']);
  t.strictSame(lines('# nothing but this\n'), lines(''));
});

t.test('a guess that would mislead is not made', async (t) => {
  t.match(issuesOf(`${MINIMAL}zzzz: 1`), [{ path: 'zzzz', hint: /^known keys: intervals, level, relay/ }]);
  t.match(issuesOf(`${MINIMAL}EN_ABLED: 1`), [{ hint: 'did you mean `enabled`?' }]);
});

t.test('faults of YAML are told in plain words', async (t) => {
  const cases: [string, RegExp, Partial<ConfigIssue>][] = [
    ['relay:\n\turl: x', /a tab is used to indent/, { line: 2, column: 1, hint: 'indent with spaces' }],
    [`${MINIMAL}level: info\nlevel: debug\n`, /`level` is given twice/, { line: 3, column: 1 }],
    ['relay: {url: a, url: b}', /`url` is given twice/, { line: 1, column: 17 }],
    ['a: &x 1\nb: *x\n', /alias `\*x` is not accepted/, { line: 2, column: 4 }],
    ['a: 1\n---\nb: 1\n', /more than one document/, { line: 2 }],
    ['a: !secret x\n', /Unresolved tag/, { hint: 'remove the tag' }],
    ['a: [1', /not valid YAML/, { line: 1 }],
    ['a: "x', /not valid YAML/, { line: 1 }],
    ['? [a, b]\n: c\n', /not plain text/, {}],
    ['- a\n', /site\.yaml must be a group of keys, but is a list/, { line: 1, column: 1 }],
    ['words', /site\.yaml must be a group of keys/, {}],
  ];
  for (const [text, message, place] of cases) t.match(issuesOf(text)[0], { message, ...place }, JSON.stringify(text));
});

t.test('keys that mean something to JavaScript mean nothing here', async (t) => {
  for (const key of ['__proto__', 'constructor', 'prototype', 'toString']) {
    t.match(issuesOf(`${MINIMAL}${key}: {isAdmin: true}`), [{ path: key, message: /unknown key/ }]);
  }
  t.equal(({} as Record<string, unknown>).isAdmin, undefined);
});

t.test('oversize, bombs and bottomless files are refused in bounded time', async (t) => {
  const hostile: Record<string, string> = {
    oversize: `a: ${'x'.repeat(MAX_CONFIG_BYTES)}`,
    bomb: ['a: &a [x,x,x,x,x,x,x,x,x]', ...'bcdefghi'].join('\n').replaceAll(/\n(.)/g, (_, k: string) => {
      const before = String.fromCharCode(k.charCodeAt(0) - 1);
      return `\n${k}: &${k} [${Array(9).fill(`*${before}`).join(',')}]`;
    }),
    lists: '['.repeat(30_000),
    groups: '{a: '.repeat(15_000),
    dashes: '- '.repeat(30_000),
    steps: Array.from({ length: 200 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
    twins: 'a: 1\n'.repeat(15_000),
    keys: Array.from({ length: 20_000 }, (_, i) => `k${i}: 1`).join('\n'),
    anchors: '&a '.repeat(10_000),
  };
  for (const [name, text] of Object.entries(hostile)) {
    const beganMs = performance.now();
    const issues = issuesOf(text);
    t.ok(issues.length >= 1 && issues.length <= 101, `${name}: ${issues.length} issues, ${issues[0]?.message}`);
    t.ok(performance.now() - beganMs < 15_000, `${name} took ${Math.round(performance.now() - beganMs)} ms`);
  }
  t.match(issuesOf(hostile.lists!), [{ message: /nested deeper than 32 levels/ }]);
  t.match(issuesOf(hostile.keys!).at(-1), { message: /^and 19\d{3} more$/ });
});

t.test('any text is answered, never thrown', async () => {
  const yamlish = fc.array(
    fc.constantFrom(
      'a',
      ': ',
      '\n',
      '  ',
      '- ',
      '[',
      ']',
      '{',
      '}',
      '"',
      "'",
      '&x ',
      '*x',
      '#',
      '|',
      '>',
      '\t',
      '!',
      '%',
      ',',
      '?',
      '---\n',
      '0x',
      '~',
    ),
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        yamlish.map((parts) => parts.join('')),
      ),
      (text) => {
        const result = loadConfig(schema, text, 'f');
        return (
          result.ok || result.issues.every(({ line, column, message }) => line >= 1 && column >= 1 && message !== '')
        );
      },
    ),
    { numRuns: 500 },
  );
});

t.test('a wrong schema is a mistake of the program', async (t) => {
  t.throws(() => loadConfig(Type.Object({ a: Type.String({ minLenght: 1 }) }), '', 'f'), /strict mode/);
});

t.test('a key that is a part of several schemas stays open', async (t) => {
  const combined = Type.Intersect([Type.Object({ a: Type.String() }), Type.Object({ b: Type.String() })]);
  t.match(loadConfig(combined, 'a: x\nb: y', 'f'), { ok: true, value: { a: 'x', b: 'y' } });
});

t.test('the reference has one row for each key a person can write', async (t) => {
  const rows = describeConfig(schema);
  t.match(
    rows.find((row) => row.key === 'intervals.heartbeatMs'),
    { type: 'integer 1000..', default: '60000', isRequired: false, text: 'Time between two heartbeats.' },
  );
  t.match(
    rows.find((row) => row.key === 'relay.url'),
    { type: 'string uri', default: '', isRequired: true },
  );
  t.match(
    rows.find((row) => row.key === 'level'),
    { type: '"info" | "debug"', default: '"info"' },
  );
  t.strictSame(
    rows.map((row) => row.key),
    [
      'intervals',
      'intervals.heartbeatMs',
      'level',
      'relay',
      'relay.url',
      'relay.token',
      'probes',
      'probes[].kind',
      'probes[].port',
      'probes[].url',
      'enabled',
      'labels',
    ],
  );
});
