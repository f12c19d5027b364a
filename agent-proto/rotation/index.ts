/** How one key takes the place of another: signed by both, and each valid for its own part of a log. */
export { type KeyChain, keyInForce, wasInForce } from './key-chain.ts';
export { isTransitionSigned, transitionBytes } from './transition.ts';
