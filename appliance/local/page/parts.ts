import type { Tone } from '../headline.ts';
import { ago, exactly } from '../words.ts';
import { type Html, html, markup } from './html.ts';

const ICONS: Record<Tone | 'unknown', string> = {
  ok: '<circle cx="8" cy="8" r="7"/><path d="M4.8 8.2l2.2 2.2 4.2-4.6"/>',
  info: '<circle cx="8" cy="8" r="7"/><path d="M8 7.5v3.7M8 4.7v.1"/>',
  warn: '<path d="M8 1.5L15 14H1z"/><path d="M8 6v3.7M8 11.9v.1"/>',
  bad: '<circle cx="8" cy="8" r="7"/><path d="M5.4 5.4l5.2 5.2M10.6 5.4l-5.2 5.2"/>',
  unknown: '<circle cx="8" cy="8" r="7"/><path d="M6 6.2a2 2 0 1 1 2.9 1.8c-.6.3-.9.6-.9 1.2M8 11.6v.1"/>',
};

export const icon = (tone: Tone | 'unknown'): Html =>
  markup(`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true">${ICONS[tone]}</svg>`);

/** A word with its colour and its icon: colour is never the only sign. */
export const badge = (tone: Tone | 'unknown', word: string): Html =>
  html`<span class="badge ${tone}">${icon(tone)}${word}</span>`;

/** A relative time that shows the exact one on hover and to machines. */
export function time(atMs: number | null, nowMs: number, never = 'never'): Html {
  if (atMs === null) return html`${never}`;
  return html`<time datetime="${new Date(atMs).toISOString()}" title="${exactly(atMs)}">${ago(atMs, nowMs)}</time>`;
}

/** A section with its heading; the id keeps what a reader has opened open across refreshes. */
export function card(id: string, heading: string, body: Html, aside?: Html): Html {
  return html`<section class="card" id="${id}" aria-labelledby="${id}-h">
<div class="card-head"><h2 id="${id}-h">${heading}</h2>${aside}</div>${body}</section>`;
}

export const empty = (text: string): Html => html`<p class="empty">${text}</p>`;

/** Names and values; a value may be markup. */
export function facts(rows: readonly (readonly [string, Html | string | number])[]): Html {
  return html`<dl class="facts">${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}
