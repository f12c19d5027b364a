/** Who signed a request: the one place where signatures, clocks, nonces and standings of device keys are judged. */
export { type BoxProof, createBoxProof, MAX_SKEW_S, toReceived } from './proof.ts';
