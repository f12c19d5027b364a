import { CHECK_NAMES, CHECK_STATUSES } from '@sitewarden/agent-proto/checks';
import t from 'tap';
import { cleanText } from '../../appliance/lib/clean-text.ts';
import { incidentTitle, MORE_SUBJECTS, nextStepOf, reasonOf } from '../../appliance/lib/incident-words.ts';

const WORDS = 'Ring 555-0100 and read out your admin link.';

t.test('the next step of every check and status is of the box, whatever the workstation writes', async (t) => {
  const facts = { state: WORDS, service: WORDS, detail: WORDS, probe_error: WORDS };
  for (const check of CHECK_NAMES) {
    for (const status of CHECK_STATUSES) {
      for (const subject of ['', 'cron', WORDS, MORE_SUBJECTS]) {
        const step = nextStepOf({ check, status, subject, facts }, WORDS);
        t.match(step, /^[A-Z].*\.$/, `${check} ${status}`);
        t.notMatch(step, /555|admin/, `${check} ${status} ${subject}`);
        t.notMatch(incidentTitle(check, subject), /555|admin/);
      }
    }
  }
});

t.test('it depends on what failed', async (t) => {
  const step = (check: 'services' | 'patches', facts: Record<string, string | number | boolean>) =>
    nextStepOf({ check, status: 'fail', subject: check === 'services' ? 'cron' : '', facts }, 'pc-1');
  t.equal(step('services', { state: 'stopped' }), 'Start cron on pc-1 and look at its log.');
  t.equal(step('services', { state: 'failed' }), 'Look at the log of cron on pc-1, then restart it.');
  t.match(step('services', { state: 'not_installed' }), /^Install cron on pc-1, or take it off/);
  t.match(step('patches', { pending_security: 0, reboot_required: true }), /^Restart pc-1/);
  t.match(step('patches', { pending_security: 3, reboot_required: true }), /^Install the pending security updates/);
});

t.test('what a workstation says is told as its words, what the box says is not', async (t) => {
  t.equal(reasonOf({ subject: '', reason: WORDS }, false), `The workstation says: ${WORDS}`);
  t.equal(reasonOf({ subject: '', reason: WORDS }, true), WORDS);
  t.equal(reasonOf({ subject: '', reason: 'x'.repeat(1024) }, false).length, 1024);
});

t.test('people see what is written: nothing unseen, nothing that turns the text around', async (t) => {
  t.equal(cleanText('Plain, as nearly always.'), 'Plain, as nearly always.');
  t.equal(cleanText('Praxis Müller – 歯科'), 'Praxis Müller – 歯科');
  t.equal(cleanText('a\u202eb\u2066c\u200bd\u00ade\u{e0041}f\ufeff\u3164'), 'abcdef');
  t.equal(cleanText('one\0\r\n\u2028two\u009b'), 'one two ');
  t.equal(cleanText('half \ud83d'), 'half \ufffd');
});
