import { CHECK_NAMES, CHECKS } from '@sitewarden/agent-proto/checks';
import { CLOSED_FACTS, ENGINE_NAMES, RECEIPT_CODES } from '@sitewarden/agent-proto/evidence';
import { kitErrors } from '@sitewarden/kit/errors';
import t from 'tap';
import { ENGINES } from '../../../agent/collect/defender/engines.ts';
import { MAC_ENGINES } from '../../../agent/collect/defender/mac-engines.ts';
import { OTHER_ENGINE, WINDOWS_ENGINES } from '../../../agent/collect/defender/windows-engines.ts';
import { DESKTOPS } from '../../../agent/collect/screenlock/desktops.ts';
import { agentErrors } from '../../../agent/errors.ts';

t.test('every closed fact is one of the catalogue', async (t) => {
  for (const check of CHECK_NAMES) {
    const names: readonly string[] = CHECKS[check].facts;
    for (const name of Object.keys(CLOSED_FACTS[check])) t.ok(names.includes(name), `${check} ${name}`);
  }
});

t.test('evidence knows every engine and every desktop the agent knows', async (t) => {
  const known = [...ENGINES, ...WINDOWS_ENGINES, ...MAC_ENGINES].map(({ name }) => name);
  t.strictSame([...new Set([...known, OTHER_ENGINE, 'Apple XProtect'])].sort(), [...ENGINE_NAMES].sort());
  const { desktop, source } = CLOSED_FACTS.screenlock as Record<string, { joined: readonly string[] }>;
  for (const one of DESKTOPS) {
    t.ok(desktop?.joined.includes(one.name), one.name);
    t.ok(source?.joined.includes(one.source), one.source);
  }
});

t.test('every code of a receipt is one the agent has', async (t) => {
  const codes: readonly string[] = [...agentErrors.codes, ...kitErrors.codes];
  for (const code of RECEIPT_CODES) t.ok(codes.includes(code), code);
  for (const code of kitErrors.codes.filter((one) => one.startsWith('SERVICE_'))) {
    t.ok((RECEIPT_CODES as readonly string[]).includes(code), code);
  }
});
