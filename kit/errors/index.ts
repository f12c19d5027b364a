export {
  CodedError,
  type ErrorBody,
  type ErrorEntry,
  type ErrorOptions,
  grpcFromHttp,
  isCodedError,
} from './coded-error.ts';
export { defineErrors, type ErrorFactory } from './define-errors.ts';
export { type KitErrorCode, kitErrors } from './kit-errors.ts';
export { isNoRoom } from './no-room.ts';
