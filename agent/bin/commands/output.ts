import { isCodedError } from '@sitewarden/kit/errors';

/** 2: usage or configuration; 3: enrolment is needed; 4: removed by the appliance; 5: replaced; 1: anything else. */
const EXIT_CODES: Readonly<Record<string, number>> = {
  CONFIG_INVALID: 2,
  CONFIG_UNREADABLE: 2,
  APPLIANCE_ADDRESS_MISSING: 2,
  TOKEN_FILE_UNREADABLE: 2,
  TOKEN_FILE_INVALID: 2,
  ENROLL_PIN_MISSING: 2,
  INSTALL_NOT_ALLOWED: 2,
  INSTALL_UNSUPPORTED: 2,
  NOT_ENROLLED: 3,
  IDENTITY_DAMAGED: 3,
  ENROLL_REFUSED: 3,
  ENROLL_PIN_MISMATCH: 3,
  AGENT_REMOVED: 4,
};

export const EXIT_REMOVED = 4;
/** Service managers start what failed again, and so the program that lies there now. */
export const EXIT_REPLACED = 5;

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Runs a command; a coded error becomes one line on standard error and its exit code. */
export async function guarded(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    const isKnown = isCodedError(error);
    const text = isKnown ? `${error.code}: ${error.message}` : `UNEXPECTED: ${(error as Error).message}`;
    process.stderr.write(`sitewarden-agent: ${text}\n`);
    process.exitCode = isKnown ? (EXIT_CODES[error.code] ?? 1) : 1;
  }
}
