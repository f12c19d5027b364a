import { Button } from '@mantine/core';
import type { CodeCreated } from '../../api/types.ts';
import { formatExact } from '../../clock/format.ts';
import { Note } from '../../components/note.tsx';
import { Icon } from '../../icons/icon.tsx';
import css from './code-label.module.css';

/** The code as a label: for the box's camera page, for typing, and for paper. */
export function CodeLabel({ created, onDone }: { created: CodeCreated; onDone: () => void }) {
  const { code, typed, qrSvg } = created;
  return (
    <div className={css.wrap}>
      <div className={css.label}>
        <p className={css.site}>{code.siteName}</p>
        <img
          className={css.qr}
          src={`data:image/svg+xml;utf8,${encodeURIComponent(qrSvg)}`}
          alt={`QR code for ${code.siteName}`}
        />
        <p className={css.typed} data-testid="typed-code">
          {typed}
        </p>
        <p className={css.until}>
          Works once, until {formatExact(code.expiresAtMs)}.{' '}
          {code.preApproved ? 'Pre-approved.' : 'An admin approves the box.'}
          {code.replaces !== null && ' Replaces the box at the site.'}
        </p>
        <p className={css.until}>On the box’s own page, http://sitewarden.local:8080, type it in.</p>
      </div>
      <Note tone="info" title="It is shown only now.">
        When you leave it, it cannot be shown again; make another one instead.
      </Note>
      <div className={css.end}>
        <Button variant="default" leftSection={<Icon name="printer" />} onClick={() => globalThis.print()}>
          Print the label
        </Button>
        <Button variant="default" onClick={onDone}>
          Done, forget it
        </Button>
      </div>
    </div>
  );
}
