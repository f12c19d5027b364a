import { renderUnicodeCompact } from 'uqr';
import type { LocalStatus } from '../local/index.ts';

export interface Screen {
  readonly columns: number;
  /** Whether colours may be set; without them the terminal is taken to be light on dark, as consoles are. */
  readonly isColour: boolean;
}

/** Light modules are drawn, dark ones left out, so both colours are set: a code must not be inverted. */
const LIGHT_ON_DARK = '\u001b[97;40m';
const PLAIN = '\u001b[0m';
const BORDER = 2;
const GAP = 3;
/** Beside the code there must be room to read. */
const MIN_BESIDE = 28;
const MAX_TEXT = 78;

type Shown = Pick<LocalStatus, 'headline' | 'identity' | 'claim' | 'nowMs'>;

/** What stands on the screen of the box: who it is, how it is, and what to scan and compare while it has no site. Pure. */
export function screenOf(status: Shown, screen: Screen): string {
  const { identity, claim } = status;
  const title = `Sitewarden · ${identity.model} · serial ${identity.serial} · version ${identity.version}`;
  const code = claim.claimUrl === null ? undefined : codeLines(claim.claimUrl, screen);
  return `${[clean(title), '', ...bodyOf(status, code, screen)].join('\n')}\n`;
}

interface Code {
  readonly lines: readonly string[];
  readonly width: number;
}

function bodyOf(status: Shown, code: Code | undefined, { columns }: Screen): string[] {
  if (code === undefined) return textOf(status, Math.min(columns, MAX_TEXT));
  const beside = columns - code.width - GAP;
  if (beside < MIN_BESIDE) return [...code.lines, '', ...textOf(status, Math.min(columns, MAX_TEXT))];
  const text = textOf(status, Math.min(beside, MAX_TEXT));
  const rows = Math.max(code.lines.length, text.length);
  return Array.from({ length: rows }, (_, row) => {
    const left = code.lines[row] ?? ' '.repeat(code.width);
    return `${left}${' '.repeat(GAP)}${text[row] ?? ''}`.trimEnd();
  });
}

function codeLines(text: string, { isColour }: Screen): Code {
  const lines = renderUnicodeCompact(text, { border: BORDER, ecc: 'L' }).split('\n');
  const width = lines[0]?.length ?? 0;
  return { width, lines: isColour ? lines.map((line) => `${LIGHT_ON_DARK}${line}${PLAIN}`) : lines };
}

function textOf({ headline, claim, nowMs }: Shown, width: number): string[] {
  const lines = [...wrap(headline.title, width), '', ...wrap(headline.text, width)];
  for (const { title, text } of headline.more) lines.push('', ...wrap(`${title}: ${text}`, width));
  if (claim.claimUrl !== null && claim.expiresAtMs !== null) {
    const minutes = Math.max(1, Math.ceil((claim.expiresAtMs - nowMs) / 60_000));
    lines.push(
      '',
      ...wrap(`Scan the code with a phone. It is good for ${minutes} more min; a new one follows.`, width),
    );
  }
  if (claim.number !== null) {
    const number = `${claim.number.slice(0, 4)} ${claim.number.slice(4)}`;
    lines.push('', ...wrap('The phone must show this same number:', width), '', `   ${number}`);
  }
  const failed = claim.doctor.find(({ state }) => state === 'failed');
  if (failed !== undefined && claim.phase !== 'done') lines.push('', ...wrap(`${failed.name}: ${failed.text}`, width));
  return lines;
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of clean(text).split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
    for (; line.length > width; line = line.slice(width)) lines.push(line.slice(0, width));
  }
  return line === '' ? lines : [...lines, line];
}

/** Names come from people and from the relay; none of them moves the cursor. */
const clean = (text: string): string => text.replaceAll(/[\p{C}\s]+/gu, ' ').trim();
