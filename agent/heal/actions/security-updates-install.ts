import { MAX_WINDOW_MS } from '@sitewarden/agent-proto/actions';
import { defineRepair } from '../repair.ts';
import { installLinux } from '../updates/install-linux.ts';
import { installMac } from '../updates/install-macos.ts';
import { installWindows } from '../updates/install-windows.ts';

/**
 * Installs pending security updates, inside the window alone: nothing is begun after its end. Never restarts the machine;
 * whether a restart is pending stands in the facts and in the note.
 */
export const securityUpdatesInstall = defineRepair({
  name: 'security_updates_install',
  refuse({ window_start_ms: start, window_end_ms: end }) {
    if (end > start && end - start <= MAX_WINDOW_MS) return undefined;
    return { code: 'ORDER_PARAMS_INVALID', detail: 'window_end_ms is after window_start_ms by at most 24 hours' };
  },
  ways: { linux: installLinux, win32: installWindows, darwin: installMac },
  elsewhere: 'The agent knows no package manager of this operating system. Install by hand.',
});
