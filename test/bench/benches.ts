export interface Figure {
  name: string;
  value: number;
  unit: string;
  /** null where benchmarks of this name have a fixed goal instead of a control. */
  control: number | null;
  /** value / control unless `note` says otherwise. */
  ratio: number | null;
  note?: string;
}

export interface Bench {
  title: string;
  load: () => Promise<{ run: () => Promise<Figure[]> }>;
}

export const BENCHES = {
  intake: {
    title: 'results/s acknowledged after commit, 50 agents, against a bare grpc-js echo',
    load: () => import('./intake.ts'),
  },
  'intake-slow-disk': {
    title: 'the same with 5 ms more at every sync, against the box without',
    load: () => import('./intake-slow-disk.ts'),
  },
  'agents-500': {
    title: 'memory and CPU of 500 connected workstations, against bare grpc-js streams',
    load: () => import('./agents-500.ts'),
  },
  evaluate: { title: 'ms p99 from facts to verdict, all six checks', load: () => import('./evaluate.ts') },
  checkin: {
    title: 'check-ins/s verified, stored, answered, against bare crypto.verify on one core',
    load: () => import('./checkin.ts'),
  },
  'checkin-http': {
    title: 'the same over HTTP, against a bare Fastify POST route',
    load: () => import('./checkin-http.ts'),
  },
  'evidence-append': {
    title: 'entries/s signed, in the tree, committed, against crypto.sign on one core',
    load: () => import('./evidence-append.ts'),
  },
  'outbox-enqueue': {
    title: 'durable rows/s, 100 in a transaction, against better-sqlite3 alone',
    load: () => import('./outbox-enqueue.ts'),
  },
  'outbox-enqueue-single': {
    title: 'durable rows/s, one in a transaction, against the same',
    load: () => import('./outbox-enqueue-single.ts'),
  },
  'outbox-drain': {
    title: 'rows/s sent, acknowledged and settled, against bare HTTP requests of the same bytes',
    load: () => import('./outbox-drain.ts'),
  },
  'outbox-flat': {
    title: 'peak RSS with 1,000,000 rows queued, against 1,000',
    load: () => import('./outbox-flat.ts'),
  },
  idle: { title: 'RSS and CPU of the idle appliance against the bare libraries', load: () => import('./idle.ts') },
  'agent-idle': {
    title: 'RSS and CPU of an idle agent against its bare libraries',
    load: () => import('./agent-idle.ts'),
  },
  'order-latency': {
    title: 'ms p95 from an order given by staff to the receipt that its agent has run it',
    load: () => import('./order-latency.ts'),
  },
  claim: {
    title: 'scan to first check-in; 1,000 boxes at once; memory of 10,000 boxes',
    load: () => import('./claim.ts'),
  },
  start: { title: 'npm start, warm, to the first acknowledged check-in', load: () => import('./start.ts') },
} as const satisfies Record<string, Bench>;
