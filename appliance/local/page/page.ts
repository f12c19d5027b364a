import { createHash } from 'node:crypto';
import type { LocalStatus } from '../status.ts';
import { claimSection, codeForm, doctorSection } from './claim.ts';
import { type Html, html, markup } from './html.ts';
import { icon } from './parts.ts';
import { SCRIPT } from './script.ts';
import {
  actionSection,
  agentSection,
  boxSection,
  deviceSection,
  evidenceSection,
  incidentSection,
  relaySection,
} from './sections.ts';
import { STYLE } from './style.ts';

export interface PageInput {
  readonly status: LocalStatus;
  readonly formToken: string;
  /** Why the code just typed was not taken. */
  readonly codeError?: string | undefined;
}

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** The only style and the only script the page may hold. */
export const STYLE_HASH = hashOf(STYLE);
export const SCRIPT_HASH = hashOf(SCRIPT);

/** The page of the box: one answer, nothing fetched from elsewhere. */
export function renderPage({ status, formToken, codeError }: PageInput): string {
  const { identity, claim } = status;
  const name = claim.site?.siteName ?? identity.serial;
  return document(
    `${status.headline.title} · ${name}`,
    html`<header><h1>Sitewarden box<small>${identity.serial} · ${identity.model} · version ${identity.version}</small></h1>
<p class="live" id="live-word"><span class="dot"></span>Live</p></header>
<p class="banner" id="stale" role="status" hidden>Not live: the box has not answered for <span id="stale-age"></span>. What you see is that old. Check that it has power and that this device is on its network.</p>
<main>
<div data-live id="live-state">${stateParts(status)}</div>
<div class="cards">
<div class="column"><div class="column" data-live id="live-claim">${claimParts(status)}</div>
${codeForm(claim, { formToken, error: codeError })}
<div class="column" data-live id="live-site">${hasSite(status) ? siteParts(status) : html``}</div></div>
<div class="column" data-live id="live-box">${boxParts(status)}</div>
</div>
</main>
<footer>This page comes from the box itself and works without the internet.</footer>
<script>${markup(SCRIPT)}</script>${claim.phase === 'done' ? html`` : html`<script type="module" src="/scan/scan.js"></script>`}`,
  );
}

function stateParts({ headline }: LocalStatus): Html {
  const remarks = headline.more.map(
    ({ tone, title, text }) =>
      html`<li class="${tone}">${icon(tone)}<div><strong>${title}</strong><p>${text}</p></div></li>`,
  );
  return html`<section class="headline ${headline.tone}" aria-label="State of this box">${icon(headline.tone)}
<div><h2>${headline.title}</h2><p>${headline.text}</p></div></section>
${remarks.length === 0 ? html`` : html`<ul class="remarks">${remarks}</ul>`}`;
}

/** Before the claim there is no site to show, unless the box watches one already. */
const hasSite = ({ claim, agents, incidents }: LocalStatus): boolean =>
  claim.phase === 'done' || agents.total > 0 || incidents.openTotal > 0;

const claimParts = ({ claim, nowMs }: LocalStatus): Html =>
  html`${claimSection(claim, nowMs)}${doctorSection(claim.doctor)}`;

const siteParts = (status: LocalStatus): Html =>
  html`${incidentSection(status)}${actionSection(status)}${agentSection(status)}${deviceSection(status)}`;

const boxParts = (status: LocalStatus): Html =>
  html`${relaySection(status)}${evidenceSection(status)}${boxSection(status)}${hasSite(status) ? html`` : deviceSection(status)}`;

/** For what is no page: an unknown address, a refused form. */
export function renderNotice(title: string, text: string): string {
  const body = html`<header><h1>Sitewarden box</h1></header><main><section class="headline bad">${icon('bad')}
<div><h2>${title}</h2><p>${text}</p><p><a href="/">Back to the box</a></p></div></section></main>`;
  return document(title, body);
}

export function document(title: string, body: Html): string {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><link rel="icon" href="/icon.svg" type="image/svg+xml">
<noscript><meta http-equiv="refresh" content="30"></noscript>
<style>${markup(STYLE)}</style></head>
<body><div class="page">${body}</div></body></html>`.text;
}
