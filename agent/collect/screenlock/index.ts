import { onPlatforms } from '../on-platforms.ts';
import type { Collector } from '../types.ts';
import { evaluateScreenlock } from './evaluate.ts';
import { collectScreenlock } from './linux.ts';
import { collectScreenlockMac } from './macos.ts';
import { collectScreenlockWindows } from './windows.ts';

/** The lock of the screens of people logged in at a desktop. */
export const screenlock: Collector = {
  name: 'screenlock',
  ...onPlatforms({ linux: collectScreenlock, win32: collectScreenlockWindows, darwin: collectScreenlockMac }),
  windowsSections: ['screenlock'],
  evaluate: evaluateScreenlock,
};
