import { encode } from 'uqr';

const WIDTH = 640;
const HEIGHT = 480;
const MODULE_PX = 8;
const QUIET_MODULES = 4;
const FRAMES = 5;

/** Chromium's own stand-in for a camera plays the film in `file`, over and over. */
export const cameraFlags = (file: string): string[] => [
  '--use-fake-device-for-media-stream',
  `--use-file-for-fake-video-capture=${file}`,
];
/** Nobody is there to be asked whether the page may. */
export const CAMERA_GRANTED = '--use-fake-ui-for-media-stream';

/** What a camera sees that looks at a QR code on white paper, or at paper alone: a film as Chromium's fake camera plays it (YUV4MPEG2). */
export function filmOf(text: string | undefined): Buffer {
  const light = Buffer.alloc(WIDTH * HEIGHT, 235);
  const rows = text === undefined ? [] : encode(text, { ecc: 'M', border: QUIET_MODULES }).data;
  const size = rows.length * MODULE_PX;
  if (size > HEIGHT) throw new Error(`a code of ${size} pixels does not fit the picture`);
  const [left, top] = [Math.floor((WIDTH - size) / 2), Math.floor((HEIGHT - size) / 2)];
  for (let y = 0; y < size; y += 1) {
    for (let x = 0; x < size; x += 1) {
      if (rows[Math.floor(y / MODULE_PX)]?.[Math.floor(x / MODULE_PX)]) light[(top + y) * WIDTH + left + x] = 16;
    }
  }
  const colour = Buffer.alloc((WIDTH * HEIGHT) / 2, 128);
  const frame = Buffer.concat([Buffer.from('FRAME\n'), light, colour]);
  const head = Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F10:1 Ip A1:1 C420jpeg\n`);
  return Buffer.concat([head, ...new Array<Buffer>(FRAMES).fill(frame)]);
}
