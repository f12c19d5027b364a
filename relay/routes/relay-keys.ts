import { defineHandlers, type Services } from './context.ts';

export function relayKeyHandlers({ keys }: Services) {
  return defineHandlers({ relayKeys: () => ({ relayKeys: keys.publishedText }) });
}
