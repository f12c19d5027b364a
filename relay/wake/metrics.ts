import { WAKE_REASONS, type WakeReason } from '@sitewarden/agent-proto/wake';
import { Counter, Gauge, type Registry } from 'prom-client';

export interface WakeMetrics {
  sent(why: WakeReason): void;
  /** A connection, a subscription or a packet that was not taken, or a connection that was ended. */
  refused(code: string): void;
}

export function createWakeMetrics(registry: Registry, connected: () => number): WakeMetrics {
  new Gauge({
    name: 'relay_wake_connected',
    help: 'Boxes that can be woken at once',
    registers: [registry],
    collect() {
      this.set(connected());
    },
  });
  const sent = new Counter({
    name: 'relay_wakes_total',
    help: 'Wakes sent to boxes, by reason',
    labelNames: ['why'],
    registers: [registry],
  });
  for (const why of WAKE_REASONS) sent.labels(why).inc(0);
  const refused = new Counter({
    name: 'relay_wake_refusals_total',
    help: 'Connections, subscriptions and packets of the wake-up that were refused or cut, by code',
    labelNames: ['code'],
    registers: [registry],
  });
  return {
    sent: (why) => sent.labels(why).inc(),
    refused: (code) => refused.labels(code).inc(),
  };
}
