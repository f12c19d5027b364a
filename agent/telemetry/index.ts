export { parseOsRelease, readHostInfo } from './host-info.ts';
export { createTelemetryMeter, type TelemetryMeter } from './measure.ts';
