import { readFileSync } from 'node:fs';
import type { ProvisionStartRequest } from '@sitewarden/agent-proto/http';
import type { ApplianceConfig } from '../config/index.ts';
import type { Identity } from '../identity/index.ts';
import { applianceVersion } from '../lib/version.ts';

export type BoxFacts = Omit<ProvisionStartRequest, 'commitment'>;

const SERIAL_FILES = ['/sys/class/dmi/id/product_serial', '/proc/device-tree/serial-number'];
const SERIAL = /^[A-Za-z0-9._-]{1,64}$/;
/** What makers write where a serial number should be. */
const FILLER = /^(0+|none|default|unknown|na|n\.a\.|.*o\.?e\.?m.*|.*string.*|system.*|not.*|x+|1234567.*)$/i;

/** The configured serial number, that of the hardware, or one made from the device key. Telemetry, never identity. */
export function serialOf(config: Pick<ApplianceConfig, 'serial'>, dikFingerprint: string): string {
  if (config.serial !== undefined) return config.serial;
  for (const path of SERIAL_FILES) {
    const serial = readText(path).replaceAll('\0', '').trim();
    if (SERIAL.test(serial) && !FILLER.test(serial)) return serial;
  }
  return `SW-${dikFingerprint.replaceAll(/[-_]/g, '').slice(0, 10).toUpperCase()}`;
}

/** What a box says of itself when it asks to be claimed. `keptSerial`: what it was called under a device key it had before. */
export function boxFacts(config: ApplianceConfig, identity: Identity, keptSerial?: string): BoxFacts {
  const { dik, evk, seal, siteCa } = identity;
  return {
    keys: { dik: dik.publicKey, evk: evk.publicKey, seal: seal.publicKey, siteCaCsr: siteCa.csrPem },
    serial: keptSerial ?? serialOf(config, dik.fingerprint),
    model: config.model,
    softwareVersion: applianceVersion(),
    imageDigest: config.imageDigest,
  };
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
