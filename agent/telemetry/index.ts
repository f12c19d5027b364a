export { parseOsRelease, readHostInfo } from './host-info.ts';
export { boundFacts, createTelemetryMeter, otherVolumes, type TelemetryMeter } from './measure.ts';
