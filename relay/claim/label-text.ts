import { fontName, type Glyph, glyphsOf, type Weight } from './label-fonts.ts';

type Doc = PDFKit.PDFDocument;

export interface TextStyle {
  readonly weight: Weight;
  /** In points. */
  readonly size: number;
  readonly color?: string;
  /** Between characters, in points. */
  readonly spacing?: number;
}

/** Measured once a document: names repeat their characters. */
const widths = new WeakMap<Doc, Map<string, number>>();

/** In points at size 1. */
function unitWidth(doc: Doc, { text, subset }: Glyph, weight: Weight): number {
  let known = widths.get(doc);
  if (known === undefined) {
    known = new Map();
    widths.set(doc, known);
  }
  const key = `${weight}${subset} ${text}`;
  let width = known.get(key);
  if (width === undefined) {
    width = doc.font(fontName(subset, weight)).fontSize(1).widthOfString(text);
    known.set(key, width);
  }
  return width;
}

const widthOf = (doc: Doc, glyphs: readonly Glyph[], { weight, size, spacing = 0 }: TextStyle): number =>
  glyphs.reduce((sum, glyph) => sum + unitWidth(doc, glyph, weight) * size + spacing, 0);

export const textWidth = (doc: Doc, text: string, style: TextStyle): number => widthOf(doc, glyphsOf(text), style);

/** How many glyphs from the start fit. */
function countFitting(doc: Doc, glyphs: readonly Glyph[], style: TextStyle, maxWidth: number): number {
  let width = 0;
  for (const [index, glyph] of glyphs.entries()) {
    width += widthOf(doc, [glyph], style);
    if (width > maxWidth) return index;
  }
  return glyphs.length;
}

const ELLIPSIS = glyphsOf('…');

function cut(doc: Doc, glyphs: readonly Glyph[], style: TextStyle, maxWidth: number): readonly Glyph[] {
  if (widthOf(doc, glyphs, style) <= maxWidth) return glyphs;
  const count = countFitting(doc, glyphs, style, maxWidth - widthOf(doc, ELLIPSIS, style));
  return [...glyphs.slice(0, count), ...ELLIPSIS];
}

/**
 * Breaks at blanks where there are some, inside words where there are none, and cuts what the last line cannot hold
 * with an ellipsis. Every line is at most `maxWidth` points wide.
 */
export function wrap(
  doc: Doc,
  text: string,
  { style, maxWidth, maxLines }: { style: TextStyle; maxWidth: number; maxLines: number },
): (readonly Glyph[])[] {
  const lines: (readonly Glyph[])[] = [];
  let rest = glyphsOf(text);
  while (rest.length > 0 && lines.length < maxLines) {
    if (lines.length === maxLines - 1) {
      lines.push(cut(doc, rest, style, maxWidth));
      break;
    }
    // A line holds one character at least, or this would not end.
    const fits = Math.max(1, countFitting(doc, rest, style, maxWidth));
    const blank = rest.findLastIndex((glyph, index) => glyph.text === ' ' && index <= fits);
    const isWhole = fits === rest.length;
    const end = isWhole || blank <= 0 ? fits : blank;
    lines.push(rest.slice(0, end));
    rest = rest.slice(!isWhole && blank > 0 ? end + 1 : end);
  }
  return lines;
}

/** Draws one line with its baseline at `y`, each run of characters in its font. */
export function drawLine(
  doc: Doc,
  glyphs: readonly Glyph[],
  { x, y, style }: { x: number; y: number; style: TextStyle },
): void {
  let left = x;
  for (let start = 0; start < glyphs.length; ) {
    const { subset } = glyphs[start] as Glyph;
    const next = glyphs.findIndex((glyph, index) => index > start && glyph.subset !== subset);
    const run = glyphs.slice(start, next === -1 ? glyphs.length : next);
    doc
      .font(fontName(subset, style.weight))
      .fontSize(style.size)
      .fillColor(style.color ?? '#000')
      .text(run.map(({ text }) => text).join(''), left, y, {
        lineBreak: false,
        baseline: 'alphabetic',
        characterSpacing: style.spacing ?? 0,
        // Kerning would make a line another width than was measured.
        features: { kern: false } as never,
      });
    left += widthOf(doc, run, style);
    start += run.length;
  }
}
