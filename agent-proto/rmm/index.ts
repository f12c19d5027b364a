export {
  type Fight,
  type OverlapReport,
  OWN_ACTIONS,
  type OwnAction,
  overlapReport,
  type RmmFindingView,
  type ToolSeen,
  type WorkstationFindings,
  type WorkstationOverlap,
} from './overlap.ts';
export { RMM_AREAS, RMM_PRODUCTS, type RmmArea, type RmmKind, type RmmProduct } from './products.ts';
