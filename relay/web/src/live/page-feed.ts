import { EventFeed } from './event-feed.ts';
import type { FeedEvent, FeedRequest } from './feed-events.ts';

/** The event stream as one page has it. */
export interface PageFeed {
  /** Connects anew, also when everything seems well. */
  reopen(): void;
  close(): void;
}

type Emit = (event: FeedEvent) => void;

/** One stream for all tabs where the browser can share it, else one of this tab's own while somebody looks at it. */
export function openPageFeed(emit: Emit): PageFeed {
  if (typeof SharedWorker === 'undefined') return openOwnFeed(emit);
  let own: PageFeed | undefined;
  const shared = openSharedFeed(emit, () => {
    own ??= openOwnFeed(emit);
  });
  return {
    reopen: () => (own ?? shared).reopen(),
    close: () => {
      shared.close();
      own?.close();
    },
  };
}

function openSharedFeed(emit: Emit, onUnusable: () => void): PageFeed {
  let port: MessagePort | undefined;
  const say = (request: FeedRequest) => port?.postMessage(request);
  const leave = () => {
    say('leave');
    if (port) port.onmessage = null;
    port = undefined;
  };
  const join = () => {
    leave();
    try {
      const worker = new SharedWorker(new URL('./live-worker.ts', import.meta.url), { type: 'module' });
      worker.onerror = onUnusable;
      port = worker.port;
    } catch {
      onUnusable();
      return;
    }
    port.onmessage = ({ data }: MessageEvent<FeedEvent>) => emit(data);
  };
  // The worker is not told when a page goes; one that comes back out of the browser's cache joins again.
  const onShow = ({ persisted }: PageTransitionEvent) => {
    if (!persisted) return;
    emit({ type: 'opening' });
    join();
  };
  globalThis.addEventListener('pagehide', leave);
  globalThis.addEventListener('pageshow', onShow);
  join();
  return {
    // A worker the browser has ended does not answer: joining starts it again.
    reopen: () => {
      join();
      say('reopen');
    },
    close: () => {
      globalThis.removeEventListener('pagehide', leave);
      globalThis.removeEventListener('pageshow', onShow);
      leave();
    },
  };
}

/** Hidden tabs hold no connection: six of them would use up all a browser opens to one host. */
function openOwnFeed(emit: Emit): PageFeed {
  const feed = new EventFeed(emit);
  const follow = () => {
    if (document.visibilityState === 'hidden') {
      feed.close();
      return;
    }
    emit({ type: 'opening' });
    feed.open();
  };
  document.addEventListener('visibilitychange', follow);
  if (document.visibilityState !== 'hidden') feed.open();
  return {
    reopen: () => feed.open(),
    close: () => {
      document.removeEventListener('visibilitychange', follow);
      feed.close();
    },
  };
}
