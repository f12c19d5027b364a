import { createContext, type ReactNode, useCallback, useContext, useState } from 'react';

const AnnouncerContext = createContext<(text: string) => void>(() => {});

/** One polite live region for the page: what changed by itself is spoken once. */
export function Announcer({ children }: { children: ReactNode }) {
  const [text, setText] = useState('');
  const announce = useCallback((next: string) => setText(next), []);
  return (
    <AnnouncerContext value={announce}>
      {children}
      <div aria-live="polite" className="visually-hidden">
        {text}
      </div>
    </AnnouncerContext>
  );
}

export const useAnnounce = () => useContext(AnnouncerContext);
