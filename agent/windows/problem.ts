import type { SectionAnswer } from './answers.ts';

const WORDS: Readonly<Record<(SectionAnswer & { ok: false })['problem'], string>> = {
  not_there: 'is not part of this Windows. Look by hand.',
  denied: 'may not be read by this account. Run the agent as SYSTEM.',
  service_off: 'does not answer while its service is off. Start the service and run the check again.',
  no_command: 'needs a command this Windows does not have. Look by hand.',
  late: 'did not answer in time. Look at the load of this machine and run the check again.',
  no_tool: 'cannot be read: neither PowerShell nor wmic can do it here. Allow PowerShell for the agent.',
  odd_answer: 'answered in a form the agent does not know. Update the agent.',
  failed: 'failed. Run the check again, and look at the WMI service if it stays so.',
};

/** For the `probe_error` fact: why nothing is known of it, and what to do. */
export function sectionProblem(what: string, { problem, code }: SectionAnswer & { ok: false }): string {
  const words = WORDS[problem];
  return code === '' || problem !== 'failed'
    ? `${what} ${words}`
    : `${what} ${words.replace('failed', `failed with ${code}`)}`;
}
