/** Secrets of a site: sealed to its box as soon as they are entered, and readable by nobody else from then on. */
export { removeSecret, type SecretView, secretsOf, setSecret } from './service.ts';
