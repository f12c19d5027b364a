import { useEffect, useState } from 'react';
import { noteOpened } from '../../api/queries/code-opened.ts';
import { Note } from '../../components/note.tsx';
import { PhoneShell } from '../../layout/phone-shell.tsx';
import { usePageTitle } from '../../layout/use-page-title.ts';
import { firstFragment, onFragment } from '../../session/fragment.ts';
import css from './code-page.module.css';

const BOX_PAGE = 'http://sitewarden.local:8080';
const FRAGMENT = /^v1\.[A-Za-z0-9_-]{22}$/;

/** For somebody who scanned a partner's label with the phone's camera. The code is for the box, not for this page. */
export function CodePage() {
  usePageTitle('Provisioning code');
  const [isWhole, setWhole] = useState<boolean | null>(null);
  // The secret left the address bar already and is not kept: only the box may use it up.
  useEffect(() => {
    const read = (fragment: string) => {
      const isCode = FRAGMENT.test(fragment);
      setWhole(isCode);
      if (isCode) noteOpened(fragment.slice('v1.'.length));
    };
    const fragment = firstFragment('/code');
    if (fragment !== null) read(fragment);
    return onFragment('/code', read);
  }, []);
  return (
    <PhoneShell>
      <h1>This code is for the box</h1>
      {isWhole === false && (
        <Note tone="warn" role="alert" title="This is not a whole Sitewarden code.">
          Part of it was not read. Hold the camera steady over the whole label, or use the typed form printed on it.
        </Note>
      )}
      <p>
        You scanned the label of a site with your camera. The code works once, and the box has to present it itself.
        Nothing was used up by scanning it here; whoever made the code sees that it was opened.
      </p>
      <ol className={css.steps}>
        <li>Plug the box in: network first, then power. Give it a minute.</li>
        <li>Connect this phone to the same network as the box.</li>
        <li>
          Open the box’s own page: <a href={BOX_PAGE}>{BOX_PAGE}</a>
        </li>
        <li>Type the code printed under the QR code there (4 letters, then 5 and 5).</li>
        <li>Compare the 8-digit number the box shows with the one your MSP reads to you, if it asks.</li>
      </ol>
      <p className="dim">
        The page does not open? The phone may be on mobile data, or the network may keep devices apart. Use the address
        on the box’s screen in place of <code>sitewarden.local</code>; its screen also names what it cannot reach.
      </p>
    </PhoneShell>
  );
}
