import css from './claim.module.css';

export function ScanHelp() {
  return (
    <>
      <p>Nothing was scanned in this tab yet.</p>
      <ol className={css.steps}>
        <li>Plug the box in: network first, then power.</li>
        <li>
          Wait for the QR code on its screen, or open <code>http://sitewarden.local:8080</code> on a device in the same
          network.
        </li>
        <li>Scan the code with this phone’s camera. It opens this page with the box found.</li>
      </ol>
      <p className="dim">
        No QR code after two minutes? The same screen lists what the box cannot reach, and what to do.
      </p>
    </>
  );
}
