import { PROTO_ERRORS, type ProtoErrorCode } from './codes.ts';

export { PROTO_ERRORS, type ProtoErrorCode } from './codes.ts';

/** An error of the contract: `code` is stable, `message` is for people and carries the detail first. */
export class ProtoError extends Error {
  readonly code: ProtoErrorCode;

  constructor(code: ProtoErrorCode, detail?: string) {
    super(detail ? `${detail}. ${PROTO_ERRORS[code]}` : PROTO_ERRORS[code]);
    this.name = 'ProtoError';
    this.code = code;
  }
}
