import { relayErrors } from '../errors.ts';
import { defineHandlers } from './context.ts';

/** Reached only by requests that did not become a WebSocket: the plugin takes those over before. */
export function wakeHandlers() {
  return defineHandlers({
    wake: ({ reply }) => {
      reply.header('upgrade', 'websocket');
      throw relayErrors.make('UPGRADE_REQUIRED');
    },
  });
}
