import { TextInput } from '@mantine/core';

export const PASSWORD_MIN = 12;
const PASSWORD_MAX = 128;

interface NewPasswordProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
}

/** A password being chosen. The relay decides whether it fits; what it needs stands here before it is typed. */
export function NewPassword({ label, value, onChange }: NewPasswordProps) {
  return (
    <TextInput
      label={label}
      description={`At least ${PASSWORD_MIN} characters; a few words are fine. Not your name or e-mail address.`}
      type="password"
      name="new-password"
      autoComplete="new-password"
      maxLength={PASSWORD_MAX}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

export const isLongEnough = (password: string): boolean => [...password].length >= PASSWORD_MIN;
