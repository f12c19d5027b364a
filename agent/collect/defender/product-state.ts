export interface ProductState {
  readonly state: 'on' | 'off' | 'snoozed' | 'expired' | 'not_known';
  /** undefined for a value nobody has seen. */
  readonly isCurrent: boolean | undefined;
  readonly isMicrosofts: boolean;
}

const STATES: Readonly<Record<number, ProductState['state']>> = { 0: 'off', 1: 'on', 2: 'snoozed', 3: 'expired' };

/**
 * productState of the Security Center, of which Microsoft publishes the parts and not the number: bits 12 to 15 the state,
 * 8 to 11 whose product it is, 4 to 7 whether its signatures are out of date.
 */
export function decodeProductState(value: number): ProductState {
  const signatures = (value >> 4) & 0xf;
  return {
    state: STATES[(value >> 12) & 0xf] ?? 'not_known',
    isCurrent: signatures === 0 ? true : signatures === 1 ? false : undefined,
    isMicrosofts: ((value >> 8) & 0xf) === 1,
  };
}
