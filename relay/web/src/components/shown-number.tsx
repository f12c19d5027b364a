import { TextInput, type TextInputProps } from '@mantine/core';

/** The number without the space people put in its middle. */
export const digitsOf = (typed: string): string => typed.replaceAll(/\s/g, '');

export const isWholeNumber = (typed: string): boolean => /^[0-9]{8}$/.test(digitsOf(typed));

interface ShownNumberProps extends Pick<TextInputProps, 'label' | 'description' | 'disabled'> {
  value: string;
  onChange: (typed: string) => void;
}

/** Where a person types the eight digits a box shows, as they are read out: nothing but digits and spaces stays. */
export function ShownNumber({ label = 'Number the box shows', value, onChange, ...rest }: ShownNumberProps) {
  return (
    <TextInput
      label={label}
      inputMode="numeric"
      autoComplete="off"
      placeholder="8 digits"
      maxLength={9}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value.replaceAll(/[^0-9 ]/g, ''))}
      {...rest}
    />
  );
}
