import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import jsqr from 'jsqr';
import { PNG } from 'pngjs';
import { cellOf, LABELS_A_PAGE, type Paper } from '../../relay/claim/label-sheet.ts';

/** Poppler draws and reads the sheets. */
export const LABEL_NEEDS = { tools: ['pdftoppm', 'pdftotext'] };

const run = promisify(execFile);
const DPI = 200;
/** PDF points are 1/72 inch. */
const PX_PER_PT = DPI / 72;

export interface Picture {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** The pages as an office printer would put them on paper. */
export async function pagesOf(file: string): Promise<Picture[]> {
  await run('pdftoppm', ['-r', String(DPI), '-png', file, `${file}-page`]);
  const folder = dirname(file);
  const names = (await readdir(folder)).filter((name) => name.endsWith('.png')).sort();
  return Promise.all(names.map(async (name) => PNG.sync.read(await readFile(join(folder, name)))));
}

/** What a reader of the PDF can select. */
export const textOf = async (file: string, ...args: string[]): Promise<string> =>
  (await run('pdftotext', [...args, file, '-'])).stdout;

/** What a camera sees that is held over the left half of one label; `change` gets each pixel's place in points from the label's corner. */
export function look(
  page: Picture,
  cell: ReturnType<typeof cellOf>,
  change: (value: number, x: number, y: number) => number = (value) => value,
): string | undefined {
  const width = Math.floor((cell.width / 2) * PX_PER_PT);
  const height = Math.floor(cell.height * PX_PER_PT);
  const left = Math.round(cell.x * PX_PER_PT);
  const top = Math.round(cell.y * PX_PER_PT);
  const pixels = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const from = ((top + y) * page.width + left + x) * 4;
      const grey = change(page.data[from] ?? 255, x / PX_PER_PT, y / PX_PER_PT);
      pixels.set([grey, grey, grey, 255], (y * width + x) * 4);
    }
  }
  return jsqr.default(pixels, width, height, { inversionAttempts: 'dontInvert' })?.data;
}

/** What a camera reads off a picture of one code. */
export const decodeQr = ({ data, width, height }: Picture): string | undefined =>
  jsqr.default(new Uint8ClampedArray(data), width, height)?.data;

/** What the codes of the first `count` labels say. */
export const urlsOn = (pages: readonly Picture[], count: number, paper: Paper): (string | undefined)[] =>
  Array.from({ length: count }, (_, index) =>
    look(pages[Math.floor(index / LABELS_A_PAGE)] as Picture, cellOf(index, paper)),
  );
