/** Something, one @, and a host with a dot; nothing invisible. Whether it can be reached only a letter tells. */
export const EMAIL_PATTERN = '^[^\\s@\\p{C}]{1,64}@[^\\s@\\p{C}]+\\.[^\\s@\\p{C}.]+$';

/** How an address is stored and looked up: people write theirs in any case. */
export const normalEmail = (email: string): string => email.trim().normalize('NFC').toLowerCase();
