export { parseOsRelease, readHostInfo } from './host-info.ts';
export { boundFacts, createTelemetryMeter, type TelemetryMeter } from './measure.ts';
