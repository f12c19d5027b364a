import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { relayErrors } from '../errors.ts';
import { offersMqtt, type Wakes } from '../wake/index.ts';

/**
 * Upgrades go the way of every request, through limits and trusted proxies, up to the handler of their route; there the
 * socket is taken over instead of answered.
 */
export const wakeUpgrade = fp<{ wakes: Wakes }>(
  async (app, { wakes }) => {
    const upgrades = new WeakMap<IncomingMessage, { socket: Socket; head: Buffer; response: ServerResponse }>();

    app.server.on('upgrade', (raw: IncomingMessage, socket: Socket, head: Buffer) => {
      // Without a listener, what breaks while the request is judged would end the program.
      socket.on('error', () => socket.destroy());
      const response = new ServerResponse(raw);
      response.shouldKeepAlive = false;
      response.assignSocket(socket);
      response.on('finish', () => socket.end());
      upgrades.set(raw, { socket, head, response });
      app.routing(raw, response);
    });

    app.addHook('preHandler', async (request: FastifyRequest, reply) => {
      if (request.routeOptions.config.contract?.name !== 'wake') return;
      const upgrade = upgrades.get(request.raw);
      if (upgrade === undefined || !offersMqtt(request.raw)) return;
      if (!wakes.isOn) throw relayErrors.make('OVERLOADED', { detail: 'This relay wakes no boxes' });
      reply.hijack();
      upgrade.response.detachSocket(upgrade.socket);
      wakes.upgrade(request.raw, upgrade.socket, upgrade.head, request.ip);
    });
  },
  { name: 'wake-upgrade', dependencies: ['error-answers', 'rate-limits'] },
);
