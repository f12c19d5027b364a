export * from './checkin.ts';
export * from './claim.ts';
export * from './common.ts';
export * from './errors.ts';
export * from './orders.ts';
export * from './outbox.ts';
export * from './paths.ts';
export * from './site-config.ts';
export { compile, type Validation, type Validator } from './validate.ts';
