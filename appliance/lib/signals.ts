/** What may have happened. A signal only says "look at the rows": losing one costs at most a poll interval. */
export interface SignalMap {
  /** Reports were committed. */
  report: undefined;
  /** Rows were appended to `change`. */
  change: undefined;
  /** Orders wait for this agent. */
  agentOrder: { readonly agentId: string };
  /** Another site configuration is in force. */
  config: undefined;
  /** The box belongs to a site now. */
  claimed: undefined;
  /** The relay has answered a check-in for the first time. */
  heard: undefined;
  /** An agent was removed: its sessions must end. */
  agentRemoved: { readonly agentId: string };
  /** A relay order or a person asks for the box's own checks; empty: all of them. */
  selfCheck: { readonly checks: readonly string[] };
  /** The box has done its own part of a relay order. */
  boxChecked: undefined;
  /** A write told that the disk failed: nothing may be acknowledged before the database was opened again. */
  diskFault: { readonly error: unknown };
  /** Rows were appended to a lane of the outbox, or a checkpoint waits. */
  outbox: undefined;
}

export type SignalName = keyof SignalMap;
export type SignalListener<N extends SignalName> = (value: SignalMap[N]) => void;

export interface Signals {
  /** Answers the function that takes the listener away again. */
  on<N extends SignalName>(name: N, listener: SignalListener<N>): () => void;
  /** Listeners run before this returns; what one throws reaches `onError` and stops no other. */
  emit<N extends SignalName>(name: N, ...value: SignalMap[N] extends undefined ? [] : [SignalMap[N]]): void;
}

export function createSignals(onError: (error: unknown, name: SignalName) => void): Signals {
  const listeners = new Map<SignalName, Set<(value: never) => void>>();
  return {
    on(name, listener) {
      const known = listeners.get(name) ?? new Set();
      listeners.set(name, known.add(listener));
      return () => known.delete(listener);
    },
    emit(name, ...value) {
      for (const listener of listeners.get(name) ?? []) {
        try {
          listener(value[0] as never);
        } catch (error) {
          onError(error, name);
        }
      }
    },
  };
}
