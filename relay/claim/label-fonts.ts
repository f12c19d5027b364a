import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import ranges from '@fontsource/noto-sans/unicode.json' with { type: 'json' };
import { unpackWoff } from '../lib/woff.ts';

/** Tried in this order: what most names are written with comes first. */
const SUBSETS = ['latin', 'latin-ext', 'cyrillic', 'greek', 'vietnamese', 'cyrillic-ext', 'greek-ext'] as const;
export type Subset = (typeof SUBSETS)[number];
export type Weight = 'regular' | 'bold';

const FILE_WEIGHTS = { regular: 400, bold: 700 } as const;
/** Shown for what no font has; it is in the first subset. */
export const REPLACEMENT = '\uFFFD';

/** The bytes of every font a label may need, by `fontName`. */
export type LabelFonts = ReadonlyMap<string, Buffer>;
export const fontName = (subset: Subset, weight: Weight): string => `${subset}-${weight}`;

let loaded: Promise<LabelFonts> | undefined;

/** Reads and unpacks the fonts once: about 600 kB, which the PDF library would unpack ten times slower for each sheet. */
export function loadLabelFonts(): Promise<LabelFonts> {
  loaded ??= readAll().catch((error: unknown) => {
    loaded = undefined;
    throw error;
  });
  return loaded;
}

async function readAll(): Promise<LabelFonts> {
  const weights = Object.keys(FILE_WEIGHTS) as Weight[];
  const files = SUBSETS.flatMap((subset) => weights.map((weight) => ({ subset, weight })));
  return new Map(
    await Promise.all(
      files.map(async ({ subset, weight }) => {
        const file = `noto-sans-${subset}-${FILE_WEIGHTS[weight]}-normal.woff`;
        const url = import.meta.resolve(`@fontsource/noto-sans/files/${file}`);
        return [fontName(subset, weight), unpackWoff(await readFile(fileURLToPath(url)))] as const;
      }),
    ),
  );
}

/** Unicode ranges as CSS writes them: `U+0000-00FF,U+0131`. */
function isInRanges(text: string, codePoint: number): boolean {
  return text.split(',').some((range) => {
    const [from = '', to = from] = range.slice(2).split('-');
    return codePoint >= Number.parseInt(from, 16) && codePoint <= Number.parseInt(to, 16);
  });
}

function hasAll(subset: Subset, grapheme: string): boolean {
  return [...grapheme].every((char) => isInRanges(ranges[subset], char.codePointAt(0) as number));
}

const known = new Map<string, Subset | null>();
const MAX_KNOWN = 5000;

/** The first subset with all of a character and its marks; null when there is none, or it cannot be drawn at all. */
function subsetOf(grapheme: string): Subset | null {
  const found = known.get(grapheme);
  if (found !== undefined) return found;
  const isDrawable = !/[\p{C}\p{Zl}\p{Zp}]/u.test(grapheme);
  const subset = isDrawable ? (SUBSETS.find((each) => hasAll(each, grapheme)) ?? null) : null;
  if (known.size < MAX_KNOWN) known.set(grapheme, subset);
  return subset;
}

/** One drawn character with the font it is drawn in. */
export interface Glyph {
  readonly text: string;
  readonly subset: Subset;
}

let segmenter: Intl.Segmenter | undefined;

/** The characters of a text as people count them; each that no font has is one visible replacement. */
export function glyphsOf(text: string): Glyph[] {
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  return [...segmenter.segment(text.normalize('NFC'))].map(({ segment }) => {
    const subset = subsetOf(segment);
    return subset === null ? { text: REPLACEMENT, subset: 'latin' } : { text: segment, subset };
  });
}
