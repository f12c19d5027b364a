export { detectRmm } from './detect.ts';
export { expand, findPaths } from './find-paths.ts';
export { parsePackages } from './inventory-linux.ts';
export { parsePs } from './inventory-macos.ts';
export { takeWindowsInventory, windowsInventory } from './inventory-windows.ts';
export { type Inventory, matchRmm, type RmmSighting } from './match.ts';
export { compilePatterns } from './patterns.ts';
export { SIGNATURES, type Signature, type Traces } from './signatures.ts';
