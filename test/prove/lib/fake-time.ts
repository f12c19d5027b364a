import { readdirSync } from 'node:fs';

/** Wall time from the file, read anew at each call; timers go on by the true monotonic clock, as a kernel's do. */
export function fakeTime(file: string): NodeJS.ProcessEnv {
  const folder = readdirSync('/usr/lib').find((name) => name.endsWith('-linux-gnu'));
  return {
    LD_PRELOAD: `/usr/lib/${folder}/faketime/libfaketimeMT.so.1`,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    DONT_FAKE_MONOTONIC: '1',
    TZ: 'UTC',
  };
}
