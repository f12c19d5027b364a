import type { ReactNode } from 'react';
import { Icon } from '../icons/icon.tsx';
import type { IconName } from '../icons/paths.ts';
import css from './empty-state.module.css';

interface EmptyStateProps {
  icon: IconName;
  title: string;
  /** Why there is nothing, and what would bring something. */
  children: ReactNode;
  action?: ReactNode;
  /** Inside a section instead of in place of a page. */
  small?: boolean;
}

export function EmptyState({ icon, title, children, action, small }: EmptyStateProps) {
  return (
    <div className={small ? css.small : css.empty}>
      <span className={css.icon}>
        <Icon name={icon} size={small ? 18 : 26} />
      </span>
      <div>
        <p className={css.title}>{title}</p>
        <p className="dim">{children}</p>
        {action && <div className={css.action}>{action}</div>}
      </div>
    </div>
  );
}
