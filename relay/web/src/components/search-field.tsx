import { CloseButton, TextInput } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { useLocation } from 'react-router';
import { Icon } from '../icons/icon.tsx';

const TYPING_MS = 200;

interface SearchFieldProps {
  /** What is searched: "Search sites and clients". */
  label: string;
  value: string;
  onChange: (value: string) => void;
}

/** The search of a page. Waits for a pause in typing; Esc empties and leaves it. */
export function SearchField({ label, value, onChange }: SearchFieldProps) {
  const [text, setText] = useState(value);
  const sent = useRef(value);
  const input = useRef<HTMLInputElement>(null);
  const location = useLocation();
  const wantsFocus = Boolean((location.state as { focusSearch?: boolean } | null)?.focusSearch);

  useEffect(() => {
    if (wantsFocus) input.current?.focus();
  }, [wantsFocus]);

  // The URL changed by other means, like the back button or "Clear search".
  useEffect(() => {
    if (value !== sent.current) setText(value);
    sent.current = value;
  }, [value]);

  useEffect(() => {
    if (text === sent.current) return;
    const timer = setTimeout(() => {
      sent.current = text;
      onChange(text);
    }, TYPING_MS);
    return () => clearTimeout(timer);
  }, [text, onChange]);

  return (
    <TextInput
      ref={input}
      data-search
      type="search"
      aria-label={label}
      placeholder={label}
      maxLength={100}
      value={text}
      onChange={(event) => setText(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        event.preventDefault();
        setText('');
        input.current?.blur();
      }}
      leftSection={<Icon name="search" />}
      rightSection={
        text === '' ? (
          <kbd className="dim">/</kbd>
        ) : (
          <CloseButton size="sm" aria-label="Clear the search" onClick={() => setText('')} />
        )
      }
    />
  );
}
