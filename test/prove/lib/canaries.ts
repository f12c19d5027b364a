// Looks for secrets in whatever a run left behind, in each form a secret is known to travel in.

export interface Secret {
  /** Which of the kinds of secret it is. */
  readonly kind: string;
  /** As it is used. Text that is base64url, hex or PEM is looked for as the bytes it stands for too. */
  readonly value: string | Uint8Array;
}

export interface Place {
  /** What people know it by, like `log of the three programs`. */
  readonly name: string;
  readonly bytes: Buffer;
  /** Kinds that belong there. */
  readonly homeOf?: readonly string[];
}

export interface Finding {
  readonly kind: string;
  readonly place: string;
  readonly form: string;
}

/** Shorter needles are found by chance. */
const MIN_BYTES = 8;
const FILLER = [Buffer.alloc(0), Buffer.from('a'), Buffer.from('aa')];

/** Each form of the secret, by name. Base64 has three: it depends on how many bytes stand before. */
export function formsOf(value: string | Uint8Array): Map<string, Buffer> {
  const bytes = Buffer.from(value as string);
  if (bytes.length < MIN_BYTES) throw new Error(`a secret of ${bytes.length} bytes cannot be told from chance`);
  const forms = new Map<string, Buffer>([
    ['plain', bytes],
    ['hex', Buffer.from(bytes.toString('hex'))],
    ['HEX', Buffer.from(bytes.toString('hex').toUpperCase())],
    ['JSON', Buffer.from(JSON.stringify(bytes.toString('latin1')).slice(1, -1), 'latin1')],
  ]);
  if (typeof value === 'string') forms.set('URL-encoded', Buffer.from(encodeURIComponent(value)));
  for (const [shift, filler] of FILLER.entries()) {
    for (const encoding of ['base64', 'base64url'] as const) {
      const text = Buffer.concat([filler, bytes]).toString(encoding).replace(/=+$/, '');
      // The first and last characters hold bits of the neighbours too.
      const from = Math.ceil((filler.length * 8) / 6);
      const to = Math.floor(((filler.length + bytes.length) * 8) / 6);
      forms.set(`${encoding} after ${shift}`, Buffer.from(text.slice(from, to)));
    }
  }
  return forms;
}

/** Every secret in every place where it does not belong; with `everywhere`, where it belongs too. */
export function search(secrets: readonly Secret[], places: readonly Place[], everywhere = false): Finding[] {
  const found: Finding[] = [];
  for (const { kind, value } of secrets) {
    for (const [form, needle] of formsOf(value)) {
      for (const { name, bytes, homeOf = [] } of places) {
        if (!everywhere && homeOf.includes(kind)) continue;
        if (bytes.includes(needle)) found.push({ kind, place: name, form });
      }
    }
  }
  return found;
}
