export { detectRmm, type RmmSighting } from './detect.ts';
export { RMM_PRODUCTS, type RmmProduct } from './products.ts';
