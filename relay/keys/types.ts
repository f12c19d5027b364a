import type { RelayKeyPurpose, RelayKeys } from '@sitewarden/agent-proto/http';

/** Keys that sign statements, and those that sign checkpoints. */
export type StatementPurpose = Extract<RelayKeyPurpose, 'config' | 'order' | 'time'>;
/** What the `config` key signs besides configurations: whose a box is, and that it is not any more. */
export type CustodyType = 'release' | 'custody';
export type CosignPurpose = Extract<RelayKeyPurpose, 'witness' | 'mirror'>;

/** The relay's working keys in use. Private halves never leave this folder: it signs, others hand over what to sign. */
export interface RelayKeyring {
  /** Host name of the relay's public URL, without a port: the first part of every log origin. */
  readonly host: string;
  /** The public halves, and the exact text of their DSSE envelope signed by the root key. */
  readonly published: RelayKeys;
  readonly publishedText: string;
  /** The lists that were published before, oldest first: they say which key cosigned an old checkpoint. */
  readonly formerlyPublished: readonly { readonly keys: RelayKeys; readonly text: string }[];
  /** Text of a DSSE envelope over the canonical form of `payload`, typed by its purpose, or as `type` says. */
  sign(purpose: StatementPurpose, payload: object, type?: CustodyType): string;
  /** A C2SP cosignature line (with its newline) over a checkpoint note. */
  cosign(purpose: CosignPurpose, note: string, timestampS: number): string;
  /** HMAC-SHA256 by a secret only this relay has: what it gave out and gets back is provably its own. */
  tokenMac(bytes: Uint8Array): Buffer;
  /** The C2SP verifier key that checks those lines. */
  vkey(purpose: CosignPurpose): string;
  /** Of the keys that signed such lines before this one: older checkpoints carry theirs. */
  formerVkeys(purpose: CosignPurpose): string[];
}

/** What signing a receipt takes, and proving it after the keys changed. */
export type ReceiptKeys = Pick<RelayKeyring, 'sign' | 'published' | 'publishedText' | 'formerlyPublished'>;
