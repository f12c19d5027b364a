import { renderSVG } from 'uqr';
import { type Installer, type InstallerSet, installCommand, isTargetName, TARGETS } from '../../installers/index.ts';
import { bytes } from '../words.ts';
import { type Html, html, markup } from './html.ts';
import { document } from './page.ts';
import { card, empty } from './parts.ts';

export interface InstallPageInput {
  readonly installers: InstallerSet | undefined;
  /** Why there are none although a folder is named. */
  readonly fault: string | undefined;
  /** As workstations reach this page; undefined when they cannot. */
  readonly baseUrl: string | undefined;
  /** A token may be asked for here. */
  readonly isOnBox: boolean;
  readonly formToken: string;
  readonly tokenError?: string | undefined;
  /** A token file's text, just made. */
  readonly token?: string | undefined;
}

/** How the agent comes onto a workstation. */
export function renderInstallPage(input: InstallPageInput): string {
  return document(
    'Install the agent',
    html`<header><h1>Install the agent<small>On a workstation of this site</small></h1><p><a href="/">Back to the box</a></p></header>
<main><div class="cards"><div class="column">${tokenCard(input)}</div><div class="column">${fileCards(input)}</div></div></main>
<footer>This page comes over plain HTTP: compare the SHA-256 with what <code>sitewarden-appliance agents token --command</code> says on the box, or with the publisher's.</footer>`,
  );
}

function fileCards({ installers, fault, baseUrl, token }: InstallPageInput): Html {
  if (installers === undefined) {
    const text =
      fault ??
      'This box has no installers. Whoever looks after it builds them with npm run build:agent and names their folder as installers.dir in the configuration of the box. From a source checkout the agent installs itself: npx sitewarden-agent install.';
    return card('installers', 'Installers', empty(text));
  }
  const known = Object.keys(TARGETS).flatMap((name) => installers.files.filter(({ target }) => target === name));
  const signed = installers.isVerified
    ? 'The publisher’s signature was checked by this box.'
    : installers.signature === undefined
      ? 'They are not signed: the SHA-256 is all that tells them apart.'
      : 'They are signed, and this box is not told by whom to expect it.';
  return html`${known.map((installer) =>
    card(
      `installer-${installer.target}`,
      isTargetName(installer.target) ? TARGETS[installer.target] : installer.target,
      html`<p><a href="/install/${installer.file}" download>${installer.file}</a> <span class="quiet">${bytes(installer.bytes)}</span></p>
<p class="quiet">SHA-256</p><p class="address">${installer.sha256}</p>
${commandOf(installer, { baseUrl, token })}`,
    ),
  )}${card('signature', `Version ${installers.version}`, html`<p>${signed}</p><p class="quiet"><a href="/install/manifest.json">manifest.json</a>${installers.signature === undefined ? html`` : html`, <a href="/install/manifest.json.sig">manifest.json.sig</a>`}</p>`)}`;
}

function commandOf(installer: Installer, { baseUrl, token }: Pick<InstallPageInput, 'baseUrl' | 'token'>): Html {
  if (baseUrl === undefined) {
    return html`<p class="quiet">No workstation can fetch it from here: the page is open to the box alone. Set local.host to an address of the site network.</p>`;
  }
  const shell = installer.target.startsWith('win-') ? 'PowerShell as an administrator' : 'a shell';
  const what = token === undefined ? 'with the token file beside it' : 'with the token of this page in it';
  return html`<p class="quiet">One line, for ${shell}, ${what}:</p><p class="address">${installCommand({ installer, baseUrl, token })}</p>`;
}

function tokenCard({ isOnBox, formToken, tokenError, token }: InstallPageInput): Html {
  if (token !== undefined) {
    return card(
      'token',
      'Token',
      html`<p>It enrolls one workstation, within 24 hours. It is shown this once.</p>
<div class="qr" role="img" aria-label="QR code of the token file below">${markup(renderSVG(token, { ecc: 'M', border: 3, pixelSize: 4 }))}</div>
<p class="quiet">As a file: save this line as token.json and name it with --token-file.</p><p class="address">${token}</p>`,
    );
  }
  if (!isOnBox) {
    return card(
      'token',
      'Token',
      html`<p>A workstation enrolls with a token, which works once. On the box: <code>sitewarden-appliance agents token --out token.json</code>, with <code>--qr</code> as a QR code, or with <code>--command win-x64</code> as the whole line for the workstation.</p>
<p class="quiet">This page makes tokens only where it is opened on the box itself: it is not encrypted.</p>`,
    );
  }
  return card(
    'token',
    'Token',
    html`<form method="post" action="/install/token" autocomplete="off"><input type="hidden" name="form" value="${formToken}">
<label for="admin">Token of the box</label>
<div class="form-row"><input id="admin" name="admin" type="password" required maxlength="128" autocomplete="off" aria-describedby="admin-help">
<button type="submit" name="as" value="code">Make a token</button><button type="submit" class="plain" name="as" value="file">As a file</button></div>
${tokenError === undefined ? html`` : html`<p class="form-error" role="alert">${tokenError}</p>`}
<p class="quiet" id="admin-help">What local-admin.token in the data folder of the box holds.</p></form>`,
  );
}
