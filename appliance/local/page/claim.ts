import { renderSVG } from 'uqr';
import type { DoctorLine } from '../../doctor/index.ts';
import type { ClaimSnapshot } from '../services.ts';
import { span } from '../words.ts';
import { type Html, html, markup } from './html.ts';
import { badge, card, empty } from './parts.ts';

/** What the technician needs while the box has no site; nothing once it has one. Refreshed with the page. */
export function claimSection(claim: ClaimSnapshot, nowMs: number): Html | undefined {
  if (claim.phase === 'done') return undefined;
  return card('claim', 'Bring this box to its site', html`${codeOf(claim, nowMs)}${numberOf(claim)}`);
}

function codeOf({ claimUrl, phase, expiresAtMs }: ClaimSnapshot, nowMs: number): Html {
  if (claimUrl === null)
    return phase === 'no_relay' ? empty('The code appears here once the relay has answered.') : html``;
  const life =
    expiresAtMs === null ? '' : ` It is valid for another ${span(expiresAtMs - nowMs)}; a new one follows by itself.`;
  return html`<div class="claim-code">
<div class="qr" role="img" aria-label="QR code of the claim address below">${qr(claimUrl)}</div>
<div><ol class="steps">
<li>Scan this code with your phone and sign in.</li>
<li>Check that the phone shows the same number as this page.</li>
<li>Pick the site and claim the box.</li></ol>
<p class="quiet">The code works once.${life}</p>
<details id="claim-address"><summary>No camera? The address in words</summary><p class="address">${claimUrl}</p></details>
</div></div>`;
}

function numberOf({ number }: ClaimSnapshot): Html {
  if (number === null) return html``;
  return html`<p class="number-label" id="number-label">Number to compare</p>
<p class="number" aria-labelledby="number-label">${number.slice(0, 4)} ${number.slice(4)}</p>`;
}

/** Black on white in both themes: many readers fail on inverted codes. */
function qr(text: string): Html {
  return markup(renderSVG(text, { ecc: 'M', border: 3, pixelSize: 4 }));
}

/** The typed form. Outside what is refreshed, so that nothing typed is lost. */
export function codeForm(
  claim: ClaimSnapshot,
  { formToken, error }: { formToken: string; error?: string | undefined },
): Html {
  if (claim.phase !== 'no_relay' && claim.phase !== 'showing' && claim.phase !== 'rejected') return html``;
  const described = error === undefined ? 'code-help' : 'code-help code-error';
  return html`<section class="card" id="typed" aria-labelledby="typed-h">
<div class="card-head"><h2 id="typed-h">Have a code from a work order?</h2></div>
<form method="post" action="/claim" autocomplete="off">
<input type="hidden" name="form" value="${formToken}">
<label for="code">Code</label>
<div class="form-row"><input id="code" name="code" type="text" required maxlength="512" spellcheck="false" autocapitalize="characters"
 aria-describedby="${described}"${error === undefined ? html`` : html` aria-invalid="true" autofocus`}>
<button type="submit">Claim</button></div>
<div id="scanner" hidden><video id="scan-picture" playsinline muted aria-label="Picture of the camera"></video>
<button type="button" class="plain" id="scan-stop">Stop the camera</button></div>
<button type="button" class="plain" id="scan" hidden>Scan it with the camera</button>
<p class="quiet" id="scan-says" role="status"></p>
${error === undefined ? html`` : html`<p class="form-error" id="code-error" role="alert">${error}</p>`}
<p class="quiet" id="code-help">14 letters such as BCDF GHJKL MNPQR, with or without spaces, or the address a QR label holds. A scanner that types can read the label as it is.</p>
</form></section>`;
}

const DOCTOR_NAMES: Readonly<Record<DoctorLine['name'], string>> = {
  link: 'Cable',
  address: 'Address in this network',
  dns: 'Name of the relay (DNS)',
  tcp: 'Port of the relay (TCP)',
  tls: 'Proof of who it is (TLS)',
  http: 'Answer of the relay (HTTP)',
  clock: 'Clock',
  disk: 'Disk',
};

const DOCTOR = { ok: ['ok', 'Fine'], failed: ['bad', 'Failed'], skipped: ['unknown', 'Skipped'] } as const;

export function doctorSection(lines: readonly DoctorLine[]): Html | undefined {
  if (lines.length === 0) return undefined;
  const rows = lines.map(({ name, state, text }) => {
    const [tone, word] = DOCTOR[state];
    return html`<li><span class="doctor-name">${DOCTOR_NAMES[name]}</span>${badge(tone, word)}<p>${text}</p></li>`;
  });
  return card('doctor', 'Way to the relay', html`<ul class="rows doctor">${rows}</ul>`);
}
