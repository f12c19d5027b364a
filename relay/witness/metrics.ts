import { Counter, type Registry } from 'prom-client';

export interface WitnessMetrics {
  checkpoint(outcome: string): void;
}

export function createWitnessMetrics(registry: Registry): WitnessMetrics {
  const checkpoints = new Counter({
    name: 'relay_checkpoints_total',
    help: 'Checkpoints of boxes by what the relay answered',
    labelNames: ['outcome'],
    registers: [registry],
  });
  return { checkpoint: (outcome) => checkpoints.inc({ outcome }) };
}
