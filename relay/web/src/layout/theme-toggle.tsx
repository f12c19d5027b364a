import { useMantineColorScheme } from '@mantine/core';
import { Icon } from '../icons/icon.tsx';
import css from './shell.module.css';

const NEXT = {
  auto: { to: 'light', icon: 'half', says: 'Colours follow the system' },
  light: { to: 'dark', icon: 'sun', says: 'Light colours' },
  dark: { to: 'auto', icon: 'moon', says: 'Dark colours' },
} as const;

export function ThemeToggle() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const { to, icon, says } = NEXT[colorScheme];
  const change = to === 'auto' ? 'follow the system' : `use ${to} colours`;
  return (
    <button
      type="button"
      className={css.iconButton}
      title={`${says}. Press to ${change}.`}
      aria-label={`${says}. Press to ${change}.`}
      onClick={() => setColorScheme(to)}
    >
      <Icon name={icon} size={18} />
    </button>
  );
}
