import { signaturesLinux } from '../antimalware/signatures-linux.ts';
import { signaturesMac } from '../antimalware/signatures-macos.ts';
import { signaturesWindows } from '../antimalware/signatures-windows.ts';
import { defineRepair } from '../repair.ts';

/** Fetches the newest signatures of the engine, by the engine's own updater. */
export const signaturesUpdate = defineRepair({
  name: 'signatures_update',
  ways: { linux: signaturesLinux, win32: signaturesWindows, darwin: signaturesMac },
  elsewhere: 'The agent knows no engine of this operating system. Update it by hand.',
});
