import type { IconName } from '../icons/paths.ts';

/** unknown is not neutral: it stands apart from pass and from fail in colour, icon and border. */
export type Tone = 'ok' | 'warn' | 'bad' | 'info' | 'unknown' | 'neutral';

/** How a value is shown: never by colour alone. */
export interface Sign {
  tone: Tone;
  icon: IconName;
  word: string;
}
