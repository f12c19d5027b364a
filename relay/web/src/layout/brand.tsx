import { Link } from 'react-router';
import css from './brand.module.css';

export function Brand({ partner }: { partner?: string }) {
  return (
    <Link to="/" className={css.brand}>
      <img src="/icon.svg" alt="" width={26} height={26} />
      <span className={css.name}>Sitewarden</span>
      {partner && <span className={css.partner}>{partner}</span>}
    </Link>
  );
}
