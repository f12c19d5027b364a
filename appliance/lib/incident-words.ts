import type { Facts } from '@sitewarden/agent-proto/agent';
import type { CheckName, CheckStatus } from '@sitewarden/agent-proto/checks';
import { isPlainName } from '@sitewarden/agent-proto/evidence';

interface IncidentWords {
  title(subject: string): string;
  /** For a failing result. */
  mend(subject: string, host: string, facts: Facts): string;
  /** For a result that says nothing. */
  look(subject: string, host: string): string;
}

const named = (subject: string, otherwise: string): string => (subject === '' ? otherwise : subject);

/** One entry for each check of the catalogue; the type refuses a missing one. */
const WORDS: Record<CheckName, IncidentWords> = {
  bitlocker: {
    title: (subject) => (subject === '' ? 'A disk is not encrypted' : `${subject} is not encrypted`),
    mend: (subject, host) => `Turn disk encryption on for ${named(subject, 'every disk')} of ${host}.`,
    look: (subject, host) => `Look on ${host} whether ${named(subject, 'every disk')} is encrypted.`,
  },
  defender: {
    title: () => 'Anti-malware does not protect this computer',
    mend: (_subject, host) => `Start the anti-malware engine of ${host} and let it update its signatures.`,
    look: (_subject, host) => `Look on ${host} whether its anti-malware engine runs and is up to date.`,
  },
  firewall: {
    title: () => 'The firewall does not protect this computer',
    mend: (_subject, host) => `Turn the firewall of ${host} on and let it refuse what nobody asked for.`,
    look: (_subject, host) => `Look on ${host} whether its firewall refuses what nobody asked for.`,
  },
  patches: {
    title: () => 'Security updates are missing',
    mend: (_subject, host, facts) =>
      facts.reboot_required === true && facts.pending_security === 0
        ? `Restart ${host}: its updates take effect only then.`
        : `Install the pending security updates on ${host}, then restart it if it asks for that.`,
    look: (_subject, host) => `Refresh the package lists of ${host} and look whether security updates are pending.`,
  },
  screenlock: {
    title: () => 'The screen does not lock by itself',
    mend: (_subject, host) => `Set the screen of ${host} to lock after at most 15 minutes without use.`,
    look: (_subject, host) => `Look on ${host} whether its screen locks after at most 15 minutes without use.`,
  },
  services: {
    title: (subject) => `The required service ${subject} is not running`.replace('  ', ' '),
    mend: (subject, host, facts) => mendService(named(subject, 'the service'), host, facts.state),
    look: (subject, host) => `Ask the service manager of ${host} about ${named(subject, 'the service')}.`,
  },
};

function mendService(service: string, host: string, state: Facts[string] | undefined): string {
  if (state === 'not_installed') {
    return `Install ${service} on ${host}, or take it off the list of required services.`;
  }
  return state === 'failed'
    ? `Look at the log of ${service} on ${host}, then restart it.`
    : `Start ${service} on ${host} and look at its log.`;
}

/** Stands for all the subjects of a check that could not be taken; no agent can name it. */
export const MORE_SUBJECTS = '(more subjects)';

export const incidentTitle = (check: CheckName, subject: string): string =>
  subject === MORE_SUBJECTS
    ? 'This workstation reports on more than it can have'
    : WORDS[check].title(isPlainName(subject) ? subject : '');

/** A host by its name, when that is one. */
export const hostWord = (hostname: string): string => (isPlainName(hostname) ? hostname : 'the workstation');

export interface AdvisedResult {
  readonly check: CheckName;
  readonly status: CheckStatus;
  readonly subject: string;
  readonly facts: Facts;
}

/**
 * What a person should do: always the box's own words, from check, status and known facts. A workstation that was taken
 * over must not tell staff what to do, so not even its names are in here when they are sentences.
 */
export function nextStepOf({ check, status, subject, facts }: AdvisedResult, hostname: string): string {
  const host = hostWord(hostname);
  if (subject === MORE_SUBJECTS) return `Look whether the agent on ${host} is the genuine one, and enrol it again.`;
  const words = WORDS[check];
  const what = isPlainName(subject) ? subject : '';
  if (status === 'fail') return words.mend(what, host, facts);
  return status === 'unknown' ? words.look(what, host) : 'Nothing to do.';
}

const SAYS = 'The workstation says: ';
const MAX_REASON = 1024;

/** Words of a workstation where people read them beside those of the box. */
export const workstationSays = (words: string): string =>
  words === '' ? '' : `${SAYS}${words}`.slice(0, MAX_REASON).toWellFormed();

/** Why, for people. The words of a workstation are told as such; those of the box stand for themselves. */
export function reasonOf({ subject, reason }: { subject: string; reason: string }, isBoxes: boolean): string {
  return isBoxes || subject === MORE_SUBJECTS ? reason : workstationSays(reason);
}
