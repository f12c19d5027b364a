import { type BareItem, type InnerList, isInnerList, parseDictionary, serializeInnerList } from 'structured-headers';
import { fieldValue } from './base.ts';
import { CHECKIN_TOKEN_HEADER, COVERED, type Headers, LABEL, TAG } from './profile.ts';

/** What the signature headers say, unverified. `params` is the value of the "@signature-params" line. */
export type ParsedSignature = {
  ok: true;
  keyId: string;
  createdS: number;
  nonce: string;
  components: readonly string[];
  params: string;
  signature: Uint8Array;
};

export type ParseFailure = { ok: false; code: 'SIGNATURE_MISSING' | 'SIGNATURE_MALFORMED' | 'SIGNATURE_COMPONENTS' };

const MAX_HEADER_CHARS = 4096;
const NONCE = /^[A-Za-z0-9_-]{21}[AQgw]$/;
const CHECKIN_TOKEN = /^[A-Za-z0-9_-]{22}$/;
const KEY_ID = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;
const COVERED_WITH_TOKEN = [...COVERED, CHECKIN_TOKEN_HEADER];
const listOf = (names: readonly string[]): string => `(${names.map((name) => `"${name}"`).join(' ')})`;
const OWN_COMPONENTS = { plain: listOf(COVERED), withToken: listOf(COVERED_WITH_TOKEN) };

/** Exactly our own serialization: 64 signature bytes are 86 base64 characters, the last of 16 possible bits zero. */
const OWN_SIGNATURE = /^sw=:([A-Za-z0-9+/]{85}[AQgw]==):$/;
const OWN_INPUT =
  /^sw=(\("@method" "@authority" "@path" "@query" "content-digest"( "sitewarden-checkin-token")?\);created=(0|[1-9][0-9]{0,14});nonce="([A-Za-z0-9_-]{21}[AQgw])";keyid="([A-Za-z0-9_-]{42}[AEIMQUYcgkosw048])";alg="ed25519";tag="sitewarden-v1")$/;

/** The parameters as we write them. */
export function ownParams(
  input: { createdS: number; nonce: string; keyId: string },
  { isTokenCovered }: { isTokenCovered: boolean },
): string {
  const components = isTokenCovered ? OWN_COMPONENTS.withToken : OWN_COMPONENTS.plain;
  return `${components};created=${input.createdS};nonce="${input.nonce}";keyid="${input.keyId}";alg="ed25519";tag="${TAG}"`;
}

export function isNonce(text: string): boolean {
  return NONCE.test(text);
}

/** Opaque to all but the relay that made it. */
export function isCheckinToken(text: string): boolean {
  return CHECKIN_TOKEN.test(text);
}

export function isKeyId(text: string): boolean {
  return KEY_ID.test(text);
}

/** A few microseconds for exactly our own serialization; undefined for everything else. */
export function parseOwn(input: string, signature: string): ParsedSignature | undefined {
  const fields = OWN_INPUT.exec(input);
  const encoded = OWN_SIGNATURE.exec(signature);
  if (!fields || !encoded) return undefined;
  const [, params, token, created, nonce, keyId] = fields as unknown as [
    string,
    string,
    string | undefined,
    string,
    string,
    string,
  ];
  const bytes = Buffer.from(encoded[1] as string, 'base64');
  const components = token === undefined ? COVERED : COVERED_WITH_TOKEN;
  return { ok: true, keyId, createdS: Number(created), nonce, components, params, signature: bytes };
}

const MALFORMED: ParseFailure = { ok: false, code: 'SIGNATURE_MALFORMED' };
const MISSING: ParseFailure = { ok: false, code: 'SIGNATURE_MISSING' };
const COMPONENTS: ParseFailure = { ok: false, code: 'SIGNATURE_COMPONENTS' };

function readComponents([items]: InnerList): string[] | undefined {
  const names: string[] = [];
  for (const [name, params] of items) {
    if (typeof name !== 'string' || params.size > 0 || names.includes(name)) return undefined;
    names.push(name);
  }
  return names;
}

type Params = { createdS: number; nonce: string; keyId: string };

function readParams(params: Map<string, BareItem>): Params | undefined {
  const createdS = params.get('created');
  const nonce = params.get('nonce');
  const keyId = params.get('keyid');
  if (params.size !== 5 || params.get('alg') !== 'ed25519' || params.get('tag') !== TAG) return undefined;
  if (typeof createdS !== 'number' || !Number.isSafeInteger(createdS) || createdS < 0) return undefined;
  if (typeof nonce !== 'string' || !NONCE.test(nonce) || typeof keyId !== 'string' || !KEY_ID.test(keyId))
    return undefined;
  return { createdS, nonce, keyId };
}

/** Any legal structured-field serialization of a signature that fits the profile. */
export function parseGeneral(input: string, signature: string): ParsedSignature | ParseFailure {
  try {
    const member = parseDictionary(input).get(LABEL);
    const entry = parseDictionary(signature).get(LABEL);
    if (!member && !entry) return MISSING;
    const bytes = entry?.[0];
    if (!member || !isInnerList(member) || !(bytes instanceof ArrayBuffer) || bytes.byteLength !== 64) return MALFORMED;
    const components = readComponents(member);
    const params = readParams(member[1]);
    if (!components || !params) return MALFORMED;
    if (COVERED.some((name) => !components.includes(name))) return COMPONENTS;
    return { ok: true, ...params, components, params: serializeInnerList(member), signature: Buffer.from(bytes) };
  } catch {
    return MALFORMED;
  }
}

/** Reads Signature-Input and Signature under the label `sw`. Never throws. */
export function parseSignature(headers: Headers): ParsedSignature | ParseFailure {
  const input = headers['signature-input'];
  const signature = headers.signature;
  if (typeof input === 'string' && typeof signature === 'string') {
    const own = parseOwn(input, signature);
    if (own) return own;
  }
  const inputValue = fieldValue(headers, 'signature-input');
  const signatureValue = fieldValue(headers, 'signature');
  if (!inputValue && !signatureValue) return MISSING;
  if (!inputValue || !signatureValue) return MALFORMED;
  if (inputValue.length > MAX_HEADER_CHARS || signatureValue.length > MAX_HEADER_CHARS) return MALFORMED;
  return parseGeneral(inputValue, signatureValue);
}
