import t from 'tap';
import { applianceErrors } from '../../appliance/errors.ts';
import { RelayFailure } from '../../appliance/lib/relay-failure.ts';
import { shownError } from '../../appliance/lib/shown-error.ts';

t.test(
  'a failure is shown by its code and next step; a full disk is called so, and only the unexpected is internal',
  async (t) => {
    const busy = new RelayFailure({ kind: 'busy', code: 'OVERLOADED' });
    t.match(shownError(busy), { code: 'OVERLOADED', isExpected: true });
    const clock = shownError(new RelayFailure({ kind: 'clock', code: 'CLOCK_SKEW' }));
    t.match(clock, { code: 'CLOCK_SKEW', message: /Set the box's date and time, or let NTP/ });
    t.notMatch(clock.message, /signed time/, 'that is for programs');
    t.match(shownError(applianceErrors.make('CLAIM_REJECTED')), { code: 'CLAIM_REJECTED', isExpected: true });
    for (const code of ['ENOSPC', 'SQLITE_FULL']) {
      const error = Object.assign(new Error('x'), { code });
      t.match(shownError(error), { code: 'DISK_FULL', message: /Free space/, isExpected: true });
    }
    t.match(shownError(new TypeError('x')), { code: 'INTERNAL', isExpected: false });
    t.match(shownError(undefined), { code: 'INTERNAL' });
  },
);
