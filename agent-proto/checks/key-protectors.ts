/** By kind of a BitLocker protector, 0 to 10 of GetKeyProtectorType. */
export const KEY_PROTECTORS = [
  'unknown',
  'tpm',
  'external_key',
  'recovery_password',
  'tpm_pin',
  'tpm_startup_key',
  'tpm_pin_startup_key',
  'public_key',
  'passphrase',
  'tpm_certificate',
  'sid',
] as const;
