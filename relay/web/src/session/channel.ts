/** A sign-in link opened from a message lands in another tab; the tab that waits hears of it here. */
const NAME = 'sitewarden-session';

export function tellSignedIn(): void {
  const channel = new BroadcastChannel(NAME);
  channel.postMessage('signed-in');
  channel.close();
}

export function onSignedIn(listener: () => void): () => void {
  const channel = new BroadcastChannel(NAME);
  channel.onmessage = listener;
  return () => channel.close();
}
