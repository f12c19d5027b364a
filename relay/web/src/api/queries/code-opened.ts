import { api } from '../client.ts';

/** Tells the relay that a label was read by a phone. Best effort: the page says the same whether or not it arrives. */
export function noteOpened(secret: string): void {
  api.POST('/api/provision/code-opened', { body: { secret } }).catch(() => undefined);
}
