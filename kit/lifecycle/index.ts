export { createLifecycle, type Lifecycle, type LifecycleOptions, type LifecyclePart } from './lifecycle.ts';
