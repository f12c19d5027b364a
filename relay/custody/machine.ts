/**
 * ordered: waits for the box. delivered: the box has it and closes its log. closed: the box is gone from the site.
 * withdrawn: staff took it back before the box had it. overtaken: the box left the site in another way meanwhile.
 */
export const RELEASE_STATES = ['ordered', 'delivered', 'closed', 'withdrawn', 'overtaken'] as const;
export type ReleaseState = (typeof RELEASE_STATES)[number];

/** `close` with `isLogClosed`: everything of the log is here, cosigned, and ends with the release. */
export type ReleaseEvent =
  | { readonly type: 'fetch' }
  | { readonly type: 'withdraw' }
  | { readonly type: 'close'; readonly isLogClosed: boolean }
  | { readonly type: 'overtake' };

export type ReleaseRefusal = 'RELEASE_NONE' | 'RELEASE_LOG_OPEN' | 'RELEASE_UNDER_WAY' | 'RELEASE_OVER';

/** `isNew` false: the same asked again, and nothing changes. */
export type ReleaseVerdict =
  | { readonly ok: true; readonly next: ReleaseState; readonly isNew: boolean }
  | { readonly ok: false; readonly code: ReleaseRefusal };

export const isOpen = (state: ReleaseState): boolean => state === 'ordered' || state === 'delivered';

const refuse = (code: ReleaseRefusal): ReleaseVerdict => ({ ok: false, code });

/** What an event leads to. Pure; the store's conditional update decides races. */
export function decideRelease(state: ReleaseState, event: ReleaseEvent): ReleaseVerdict {
  const to = (next: ReleaseState): ReleaseVerdict => ({ ok: true, next, isNew: next !== state });
  switch (event.type) {
    case 'fetch':
      return isOpen(state) ? to('delivered') : refuse('RELEASE_NONE');
    case 'withdraw':
      if (state === 'ordered' || state === 'withdrawn') return to('withdrawn');
      // A box that has it may already have closed its log, and a closed log is never opened again.
      return refuse(state === 'delivered' ? 'RELEASE_UNDER_WAY' : 'RELEASE_OVER');
    case 'close':
      if (state === 'closed') return to('closed');
      if (state !== 'delivered') return refuse('RELEASE_NONE');
      return event.isLogClosed ? to('closed') : refuse('RELEASE_LOG_OPEN');
    case 'overtake':
      return isOpen(state) ? to('overtaken') : to(state);
  }
}
