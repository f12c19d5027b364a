export interface ProofResult {
  cases: number;
  failures: number;
  /** The same run with the fault unguarded; `failed` must be true. */
  control: { expectedToFail: true; failed: boolean; detail: string };
  detail?: string;
}

export interface Proof {
  title: string;
  load: () => Promise<{ run: (options: { full: boolean; seed: number }) => Promise<ProofResult> }>;
}

/** Every promise that has a proof; a test runs each in its quick form. */
export const PROMISES = {
  T1: { title: 'an acknowledged event survives a power cut', load: () => import('./t1.ts') },
  T2: { title: 'a crash at any sync or write is safe', load: () => import('./t2.ts') },
  T3: { title: 'no acknowledgement after a failed sync', load: () => import('./t3.ts') },
  T6: { title: 'corruption neither bricks nor hides', load: () => import('./t6.ts') },
  T8: { title: 'effect exactly once at the relay', load: () => import('./t8.ts') },
  T10: { title: 'an order runs at most once, on the right box', load: () => import('./t10.ts') },
  T11: { title: 'fleet status is true', load: () => import('./t11.ts') },
  T12: { title: 'one claim, one winner', load: () => import('./t12.ts') },
  T13: {
    title: 'codes are not guessable, and guessing locks no one out',
    load: () => import('./t13.ts'),
  },
  T14: { title: 'a clone is caught', load: () => import('./t14.ts') },
  T15: { title: 'no secret leaks', load: () => import('./t15.ts') },
  T16: { title: 'first-boot man in the middle gets nothing', load: () => import('./t16.ts') },
  T17: { title: 'TLS strict on the agent port', load: () => import('./t17.ts') },
  T18: { title: 'a wrong clock never bricks', load: () => import('./t18.ts') },
  T19: { title: 'expiry never needs a visit', load: () => import('./t19.ts') },
  T24: { title: 'tenants are apart even if a WHERE is forgotten', load: () => import('./t24.ts') },
  T25: { title: 'roles default to deny', load: () => import('./t25.ts') },
  T29: { title: 'hostile input kills nothing', load: () => import('./t29.ts') },
} as const satisfies Record<string, Proof>;
