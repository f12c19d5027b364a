import type { CheckName } from '@sitewarden/agent-proto/checks';

interface IncidentWords {
  title(subject: string): string;
  /** For a result whose reason names no next step. */
  nextStep(subject: string, host: string): string;
}

const named = (subject: string, otherwise: string): string => (subject === '' ? otherwise : subject);

/** One entry for each check of the catalogue; the type refuses a missing one. */
const WORDS: Record<CheckName, IncidentWords> = {
  bitlocker: {
    title: (subject) => (subject === '' ? 'A disk is not encrypted' : `${subject} is not encrypted`),
    nextStep: (subject, host) => `Turn disk encryption on for ${named(subject, 'every disk')} of ${host}.`,
  },
  defender: {
    title: () => 'Anti-malware does not protect this computer',
    nextStep: (_subject, host) => `Start the anti-malware engine of ${host} and let it update its signatures.`,
  },
  firewall: {
    title: () => 'The firewall does not protect this computer',
    nextStep: (_subject, host) => `Turn the firewall of ${host} on and let it refuse what nobody asked for.`,
  },
  patches: {
    title: () => 'Security updates are missing',
    nextStep: (_subject, host) =>
      `Install the pending security updates on ${host}, then restart it if it asks for that.`,
  },
  screenlock: {
    title: () => 'The screen does not lock by itself',
    nextStep: (_subject, host) => `Set the screen of ${host} to lock after at most 15 minutes without use.`,
  },
  services: {
    title: (subject) => `The required service ${subject} is not running`.replace('  ', ' '),
    nextStep: (subject, host) => `Start ${named(subject, 'the service')} on ${host} and look at its log.`,
  },
};

/** Stands for all the subjects of a check that could not be taken; no agent can name it. */
export const MORE_SUBJECTS = '(more subjects)';

export const incidentTitle = (check: CheckName, subject: string): string =>
  subject === MORE_SUBJECTS ? 'This workstation reports on more than it can have' : WORDS[check].title(subject);

/** The last sentence of a reason is its next step, when it has more than one. */
export function nextStepOf(result: { check: CheckName; subject: string; reason: string }, host: string): string {
  const sentences = result.reason.trim().split(/(?<=[.!?])\s+/);
  const last = sentences.length > 1 ? sentences.at(-1) : undefined;
  return last ?? WORDS[result.check].nextStep(result.subject, host);
}
