import { setImmediate } from 'node:timers/promises';
import { encode } from 'uqr';
import { type Glyph, glyphsOf, type LabelFonts } from './label-fonts.ts';
import { drawLine, type TextStyle, textWidth, wrap } from './label-text.ts';

type Doc = PDFKit.PDFDocument;
export type Paper = 'a4' | 'letter';

export interface Label {
  readonly url: string;
  readonly typed: string;
  readonly partnerName: string;
  readonly clientName: string;
  readonly siteName: string;
  readonly expiresAtMs: number;
  readonly preApproved: boolean;
}

const PT_PER_MM = 72 / 25.4;
const mm = (length: number): number => length * PT_PER_MM;

const PAPERS = { a4: [210, 297], letter: [215.9, 279.4] } as const;
/** Ordinary printers leave about 5 mm unprinted. */
const MARGIN_MM = 10;
const COLUMNS = 2;
const ROWS = 5;
export const LABELS_A_PAGE = COLUMNS * ROWS;

/** With its quiet zone; the symbol in it is 30 mm or more from version 2 on, which every address of a code needs. */
const QR_MM = 40;
const QUIET_MODULES = 4;
const PAD_MM = 2;
const TYPED_SIZE = 20;
const BOX_PAGE = 'http://sitewarden.local:8080';

const SMALL: TextStyle = { weight: 'regular', size: 7.5 };
const SITE: TextStyle = { weight: 'bold', size: 12 };
const TYPED: TextStyle = { weight: 'bold', size: TYPED_SIZE, spacing: 1.2 };
/** Baseline to baseline, in sizes. */
const LEADING = 1.25;

interface Cell {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Where the label at `index` is, in points from the top left of its page. */
export function cellOf(index: number, paper: Paper): Cell {
  const [pageWidth, pageHeight] = PAPERS[paper];
  const width = mm((pageWidth - 2 * MARGIN_MM) / COLUMNS);
  const height = mm((pageHeight - 2 * MARGIN_MM) / ROWS);
  const place = index % LABELS_A_PAGE;
  return {
    x: mm(MARGIN_MM) + (place % COLUMNS) * width,
    y: mm(MARGIN_MM) + Math.floor(place / COLUMNS) * height,
    width,
    height,
  };
}

/** Dark modules as one filled path, so that no renderer leaves a seam between two of them. */
function drawQr(doc: Doc, url: string, { x, y }: { x: number; y: number }): void {
  const { data, size } = encode(url, { ecc: 'M', border: QUIET_MODULES });
  const module = mm(QR_MM) / size;
  doc.rect(x, y, mm(QR_MM), mm(QR_MM)).fill('#fff');
  for (const [row, modules] of data.entries()) {
    for (let from = 0; from < size; from += 1) {
      if (!modules[from]) continue;
      let to = from;
      while (modules[to + 1]) to += 1;
      doc.rect(x + from * module, y + row * module, (to - from + 1) * module, module);
      from = to;
    }
  }
  doc.fill('#000');
}

const utcMinute = (atMs: number): string => `${new Date(atMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

interface Paragraph {
  readonly text: string;
  readonly style: TextStyle;
  readonly maxLines: number;
}

function paragraphsOf(label: Label): Paragraph[] {
  const small = (text: string, maxLines = 1): Paragraph => ({ text, style: SMALL, maxLines });
  return [
    small(label.partnerName),
    { text: label.siteName, style: SITE, maxLines: 2 },
    { text: label.clientName, style: { ...SMALL, size: 9 }, maxLines: 1 },
    small(`Works once. ${label.preApproved ? 'No further approval.' : 'An admin approves the box.'}`),
    { text: `Until ${utcMinute(label.expiresAtMs)}`, style: { ...SMALL, weight: 'bold' }, maxLines: 1 },
    small(`Type it in on the box’s page: ${BOX_PAGE}`, 2),
    // The blank does not break: a long address goes on in the second line.
    small(`Relay:\u00A0${new URL(label.url).origin}`, 2),
  ];
}

function drawLabel(doc: Doc, label: Label, cell: Cell): void {
  const pad = mm(PAD_MM);
  const top = cell.y + pad;
  doc.rect(cell.x, cell.y, cell.width, cell.height).dash(2, { space: 3 }).lineWidth(0.4).stroke('#999').undash();
  drawQr(doc, label.url, { x: cell.x + pad, y: top });

  // The quiet zone of the code is the gap between it and the text.
  const x = cell.x + pad + mm(QR_MM);
  const maxWidth = cell.x + cell.width - pad - x;
  let y = top + 2;
  for (const { text, style, maxLines } of paragraphsOf(label)) {
    for (const line of wrap(doc, text, { style, maxWidth, maxLines })) {
      y += style.size * LEADING;
      drawLine(doc, line, { x, y, style });
    }
  }

  const room = cell.width - 4 * pad;
  const scale = Math.min(1, room / textWidth(doc, label.typed, TYPED));
  const style = { ...TYPED, size: TYPED.size * scale, spacing: (TYPED.spacing ?? 0) * scale };
  const typed: Glyph[] = glyphsOf(label.typed);
  drawLine(doc, typed, { x: cell.x + 2 * pad, y: top + mm(QR_MM) + TYPED_SIZE * 0.8, style });
}

/**
 * Labels to cut out, ten on a page, in the order given; the bytes of a PDF. The secrets are in it. Same input, same
 * sheet.
 */
export async function labelSheet(
  labels: readonly Label[],
  { paper, fonts, madeAtMs }: { paper: Paper; fonts: LabelFonts; madeAtMs: number },
): Promise<Uint8Array> {
  const { default: PDFDocument } = await import('pdfkit');
  const [width, height] = PAPERS[paper];
  const doc = new PDFDocument({
    size: [mm(width), mm(height)],
    margin: 0,
    autoFirstPage: false,
    lang: 'en',
    info: { Title: 'Sitewarden labels', CreationDate: new Date(madeAtMs) },
  });
  const chunks: Buffer[] = [];
  const ended = new Promise<void>((resolve, reject) => {
    doc.on('data', (chunk: Buffer) => chunks.push(chunk));
    doc.on('end', resolve);
    doc.on('error', reject);
  });
  for (const [name, bytes] of fonts) doc.registerFont(name, bytes);
  for (const [index, label] of labels.entries()) {
    if (index % LABELS_A_PAGE === 0) doc.addPage();
    drawLabel(doc, label, cellOf(index, paper));
    // A label takes some 10 ms; boxes that check in meanwhile do not wait for the whole sheet.
    await setImmediate();
  }
  doc.end();
  await ended;
  return Buffer.concat(chunks);
}
