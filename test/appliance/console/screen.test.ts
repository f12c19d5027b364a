import jsqr from 'jsqr';
import { chromium } from 'playwright-core';
import { PNG } from 'pngjs';
import t from 'tap';
import { screenOf } from '../../../appliance/console/index.ts';
import { START_MS } from '../../helpers/appliance-context.ts';
import { CLAIMED, SHOWING } from '../../helpers/local-page.ts';
import { findTool, skipWithout } from '../../helpers/needs.ts';

const identity = {
  serial: 'SW-0001',
  model: 'edge-1',
  version: '0.1.0',
  fingerprint: 'x',
  host: 'box',
  keyStorage: 'plain',
} as const;
const headline = { tone: 'info', title: 'This box waits to be claimed', text: 'Scan its code.', more: [] } as const;
const ARGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'];
/** As long as they get: a relay with a long name and a port. */
const claimUrl = `https://relay.of.a.partner.example.com:8443/claim#v1.${'A'.repeat(22)}.${'b'.repeat(43)}`;
const showing = { ...SHOWING, claimUrl };
const status = { headline, identity, claim: showing, nowMs: START_MS };

/** The one sequence the screen uses, as a terminal of either colour scheme would paint it. */
function painted(text: string, { ink, paper }: { ink: string; paper: string }): string {
  const spans = text
    .replaceAll('\u001b[97;40m', '<span style="color:#fff;background:#000">')
    .replaceAll('\u001b[0m', '</span>');
  const style = `margin:0;padding:8px;font:16px/1 monospace;color:${ink};background:${paper};display:inline-block`;
  return `<meta charset="utf-8"><body style="margin:0"><pre style="${style}">${spans}</pre>`;
}

t.test('a decoder reads the code off the screen, on dark and on light terminals, wide and narrow', async (t) => {
  if (skipWithout(t, { tools: ['chromium'] })) return;
  const browser = await chromium.launch({ executablePath: findTool('chromium') as string, args: ARGS });
  t.teardown(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 1300, height: 900 } });
  const read = async (text: string, colours: { ink: string; paper: string }) => {
    await page.setContent(painted(text, colours));
    const { data, width, height } = PNG.sync.read(await page.locator('pre').screenshot());
    return jsqr.default(new Uint8ClampedArray(data), width, height, { inversionAttempts: 'dontInvert' })?.data;
  };
  const dark = { ink: '#ddd', paper: '#000' };
  const light = { ink: '#000', paper: '#fff' };
  for (const columns of [80, 132, 50]) {
    t.equal(await read(screenOf(status, { columns, isColour: true }), dark), claimUrl, `${columns} dark`);
    t.equal(await read(screenOf(status, { columns, isColour: true }), light), claimUrl, `${columns} light`);
  }
  t.equal(await read(screenOf(status, { columns: 80, isColour: false }), dark), claimUrl, 'without colours');
  const inverted = await read(screenOf(status, { columns: 80, isColour: false }), light);
  t.not(inverted, claimUrl, 'the control: an inverted code is not read, so colours are set where they can be');
});

t.test('it fits the screen of a console, with the number to compare beside the code', async (t) => {
  const text = screenOf({ ...status, claim: SHOWING }, { columns: 80, isColour: false });
  const lines = text.trimEnd().split('\n');
  t.ok(lines.length <= 25, `${lines.length} lines`);
  t.ok(
    lines.every((line) => line.length <= 80),
    String(Math.max(...lines.map((line) => line.length))),
  );
  t.match(text, `${SHOWING.number!.slice(0, 4)} ${SHOWING.number!.slice(4)}`);
  t.match(text, 'serial SW-0001');
});

t.test('a claimed box shows how it is, and no code', async (t) => {
  const fine = { tone: 'ok', title: 'All is well at Main street', text: 'The relay is in contact.', more: [] } as const;
  const text = screenOf({ ...status, headline: fine, claim: CLAIMED }, { columns: 80, isColour: true });
  t.match(text, 'All is well at Main street');
  t.notMatch(text, /[\u2580\u2584\u2588]/);
});

t.test('while the relay is away it says where the way ends', async (t) => {
  const doctor = [
    { name: 'link', state: 'ok', code: null, text: 'eth0 is connected.' },
    {
      name: 'dns',
      state: 'failed',
      code: 'DNS_SILENT',
      text: 'The name server does not answer. Check the DNS server.',
    },
  ] as const;
  const claim = { ...showing, phase: 'no_relay', claimUrl: null, number: null, expiresAtMs: null, doctor } as const;
  t.match(screenOf({ ...status, claim }, { columns: 80, isColour: false }), /dns: The name server does not answer/);
});

t.test('no name moves the cursor', async (t) => {
  const evil = { ...headline, title: 'Hi\u001b[2J\u0007there\u202e' };
  const text = screenOf({ ...status, headline: evil, claim: CLAIMED }, { columns: 80, isColour: false });
  t.notMatch(text.replaceAll('\n', ''), /\p{C}/u);
  t.match(text, 'Hi [2J there');
});
