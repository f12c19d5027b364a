import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { loadLabelFonts } from '../../../relay/claim/label-fonts.ts';
import { cellOf, type Label, labelSheet, type Paper } from '../../../relay/claim/label-sheet.ts';
import { LABEL_NEEDS, look, type Picture, pagesOf, textOf, urlsOn } from '../../helpers/label-sheet.ts';
import { skipWithout } from '../../helpers/needs.ts';

const RELAY = 'https://relay.of.a.partner.example.com:8443';
const LETTERS = 'BCDFGHJKLMNPQRSTVWXZ';

function labelAt(index: number, changes: Partial<Label> = {}): Label {
  const letter = (shift: number) => LETTERS[(index * 7 + shift * 3) % LETTERS.length];
  const typed = Array.from({ length: 14 }, (_, shift) => letter(shift)).join('');
  return {
    url: `${RELAY}/code#v1.${String(index).padStart(22, 'A')}`,
    typed: `${typed.slice(0, 4)}-${typed.slice(4, 9)}-${typed.slice(9)}`,
    partnerName: 'Bluewater IT',
    clientName: 'Lakeside Family Practice',
    siteName: `Site ${index}`,
    expiresAtMs: Date.UTC(2026, 11, 1, 10, 30),
    preApproved: false,
    ...changes,
  };
}

async function print(t: Test, labels: Label[], paper: Paper = 'a4'): Promise<string> {
  const pdf = await labelSheet(labels, { paper, fonts: await loadLabelFonts(), madeAtMs: Date.UTC(2026, 10, 22) });
  const file = join(t.testdir(), 'labels.pdf');
  await writeFile(file, pdf);
  return file;
}

t.test('every label of a sheet is read back by a decoder and as text, on both papers', async (t) => {
  if (skipWithout(t, LABEL_NEEDS)) return;
  for (const paper of ['a4', 'letter'] as const) {
    await t.test(paper, async (t) => {
      const labels = Array.from({ length: 13 }, (_, index) => labelAt(index));
      const file = await print(t, labels, paper);
      const pages = await pagesOf(file);
      t.equal(pages.length, 2);
      t.strictSame(
        urlsOn(pages, labels.length, paper),
        labels.map(({ url }) => url),
      );
      const text = await textOf(file);
      for (const { typed, siteName } of labels) {
        t.ok(text.includes(typed), `${typed} can be read`);
        t.ok(text.includes(siteName));
      }
      t.match(text, 'Until 2026-12-01 10:30 UTC');
      t.match(text, 'Works once. An admin approves the box.');
      t.match(text, 'http://sitewarden.local:8080');
      t.match(text.replaceAll(/\s/g, ''), RELAY);
    });
  }
});

t.test(
  'names are printed in the letters they are written with, and what no font has is seen to be missing',
  async (t) => {
    if (skipWithout(t, LABEL_NEEDS)) return;
    const names = [
      'Praxis Müller & Söhne',
      'Łódź, ulica Żółta',
      'Поликлиника Ёлка',
      'Ιατρείο Αθήνας',
      'Phòng khám Nguyễn',
      'Cafe\u0301 Nord',
      '診療所 🏥 Tokyo',
      'A\nB\u202Ec\u0000',
    ];
    const file = await print(
      t,
      names.map((siteName, index) => labelAt(index, { siteName })),
    );
    const lines = (await textOf(file, '-layout')).normalize('NFC').replaceAll(/\s+/g, ' ');
    for (const name of names.slice(0, 5)) t.ok(lines.includes(name), name);
    t.ok(lines.includes('Café Nord'), 'a letter and its mark are one');
    t.ok(lines.includes('\uFFFD\uFFFD\uFFFD \uFFFD Tokyo'), 'one replacement a character');
    t.ok(lines.includes('A\uFFFDB\uFFFDc\uFFFD'), 'nothing breaks out of its line or turns it around');
    const urls = urlsOn(await pagesOf(file), names.length, 'a4');
    t.equal(new Set(urls).size, names.length);
  },
);

t.test('names of any length and letters stay inside their label and leave its code alone', async (t) => {
  if (skipWithout(t, LABEL_NEEDS)) return;
  const long = [
    'W'.repeat(200),
    'Gemeinschaftspraxis für Innere Medizin '.repeat(6).slice(0, 200),
    'Ж'.repeat(200),
    '診'.repeat(200),
    `${'i'.repeat(150)} ${'Ű'.repeat(49)}`,
  ];
  const labels = [...long, ...long].map((name, index) =>
    labelAt(index, {
      siteName: name,
      clientName: name,
      partnerName: name,
      typed: 'WWWW-WWWWW-WWWWW',
      url: `https://${'relay-of-a-partner.'.repeat(5)}example.com:8443/code#v1.${String(index).padStart(22, 'B')}`,
    }),
  );
  const file = await print(t, labels, 'letter');
  t.strictSame(
    urlsOn(await pagesOf(file), labels.length, 'letter'),
    labels.map(({ url }) => url),
  );
  const boxes = [
    ...(await textOf(file, '-bbox')).matchAll(
      /<word xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)">/g,
    ),
  ].map(([, ...edges]) => edges.map(Number) as [number, number, number, number]);
  t.ok(boxes.length > 50, `${boxes.length} words`);
  const cells = labels.map((_, index) => cellOf(index, 'letter'));
  const outside = boxes.filter(
    ([left, top, right, bottom]) =>
      !cells.some(
        ({ x, y, width, height }) => left >= x && right <= x + width && top >= y - 1 && bottom <= y + height + 1,
      ),
  );
  t.strictSame(outside, [], 'no word leaves its label');
  t.match(await textOf(file), '…', 'what was cut says so');
});

t.test('the control: without its quiet zone, or inverted, a code is not read', async (t) => {
  if (skipWithout(t, LABEL_NEEDS)) return;
  const label = labelAt(3);
  const [page] = await pagesOf(await print(t, [label]));
  const cell = cellOf(0, 'a4');
  const see = (change?: Parameters<typeof look>[2]) => look(page as Picture, cell, change);
  t.equal(see(), label.url, 'as printed it is');
  t.not(
    see((grey) => 255 - grey),
    label.url,
    'white on black',
  );
  const pt = (mm: number) => (mm * 72) / 25.4;
  // The symbol begins four modules into its 40 mm; at this length of address one is about 1 mm.
  const [from, to] = [pt(2) + pt(3.7), pt(42) - pt(3.7)];
  const isInside = (at: number) => at >= from && at <= to;
  t.not(
    see((grey, x, y) => (isInside(x) && isInside(y) ? grey : 0)),
    label.url,
    'black up to its edges',
  );
});

t.test('the same labels are the same sheet, and a sheet of a hundred is made in seconds', async (t) => {
  const fonts = await loadLabelFonts();
  const labels = Array.from({ length: 100 }, (_, index) => labelAt(index));
  const make = () => labelSheet(labels, { paper: 'a4', fonts, madeAtMs: 1 });
  const [one, two] = [await make(), await make()];
  t.ok(Buffer.from(one).equals(Buffer.from(two)));
  t.ok(one.length < 1_000_000, `${one.length} bytes`);
});
