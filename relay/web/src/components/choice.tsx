import css from './choice.module.css';

interface ChoiceProps<T extends string> {
  label: string;
  choices: readonly { value: T; word: string }[];
  value: T;
  onChange: (value: T) => void;
}

/** One of a few, all visible. */
export function Choice<T extends string>({ label, choices, value, onChange }: ChoiceProps<T>) {
  return (
    <fieldset className={css.group}>
      <legend className="visually-hidden">{label}</legend>
      {choices.map((choice) => (
        <button
          key={choice.value}
          type="button"
          aria-pressed={choice.value === value}
          onClick={() => onChange(choice.value)}
        >
          {choice.word}
        </button>
      ))}
    </fieldset>
  );
}
