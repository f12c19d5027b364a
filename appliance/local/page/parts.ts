import type { Tone } from '../headline.ts';
import { ago, exactly } from '../words.ts';
import { type Html, html, markup } from './html.ts';

const ICONS: Record<Tone | 'unknown', string> = {
  ok: '<path d="M3.5 8.5l3 3 6-7"/>',
  info: '<path d="M8 7.5v4M8 4.6v.2"/>',
  warn: '<path d="M8 4v5M8 11.6v.2"/>',
  bad: '<path d="M4.5 4.5l7 7M11.5 4.5l-7 7"/>',
  unknown: '<path d="M6 6a2 2 0 1 1 2.8 1.9c-.6.3-.8.7-.8 1.3M8 11.8v.2"/>',
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
