export { type DiskSpace, diskSpace } from './disk.ts';
export { createSelfChecks, type SelfCheckOptions, type SelfChecks } from './self-checks.ts';
export { createTelemetry, type HostSnapshot, type Telemetry } from './telemetry.ts';
