import { EventFeed } from './event-feed.ts';
import type { FeedEvent, FeedRequest } from './feed-events.ts';

/**
 * Runs as a shared worker: one event stream for every tab of a browser. A browser opens at most six connections to a
 * host over HTTP/1.1, so with a stream a tab the seventh tab would wait for ever.
 */
const ports = new Set<MessagePort>();
const feed = new EventFeed((event) => {
  for (const port of ports) tell(port, event);
});
const tell = (port: MessagePort, event: FeedEvent) => port.postMessage(event);

function join(port: MessagePort): void {
  ports.add(port);
  port.onmessage = ({ data }: MessageEvent<FeedRequest>) => {
    if (data === 'reopen') feed.open();
    else leave(port);
  };
  const asOfMs = feed.liveAsOfMs();
  if (asOfMs === null) feed.ensureOpen();
  else tell(port, { type: 'tick', asOfMs });
}

function leave(port: MessagePort): void {
  ports.delete(port);
  port.close();
  if (ports.size === 0) feed.close();
}

const scope = globalThis as unknown as { onconnect: (event: MessageEvent) => void };
scope.onconnect = ({ ports: [port] }) => {
  if (port) join(port);
};
