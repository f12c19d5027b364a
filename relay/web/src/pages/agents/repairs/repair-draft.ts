import {
  IDLE_SECONDS,
  MAX_WINDOW_AHEAD_MS,
  MAX_WINDOW_MS,
  type Params,
  REPAIRS,
  type RepairAction,
  SERVICE_NAME,
} from '../../../words/repairs.ts';

/** What was typed, as it was typed. */
export interface RepairDraft {
  readonly service: string;
  readonly idleSeconds: string;
  /** As an input of type datetime-local has it: in the zone of the browser. */
  readonly windowStart: string;
  readonly windowHours: string;
}
export type DraftField = keyof RepairDraft;

export type DraftParams =
  | { readonly params: Params; readonly faults?: never }
  | { readonly params?: never; readonly faults: Partial<Record<DraftField, string>> };

const HOUR_MS = 3_600_000;
/** An evening's beginning, when a clinic is empty. */
const USUAL_HOUR = 20;
const USUAL_HOURS = 4;

/** `nowMs` is the relay's present, shown in the zone of the browser. */
export function newDraft(nowMs: number, service = ''): RepairDraft {
  const evening = new Date(nowMs);
  evening.setHours(USUAL_HOUR, 0, 0, 0);
  if (evening.getTime() <= nowMs) evening.setDate(evening.getDate() + 1);
  return {
    service,
    idleSeconds: String(IDLE_SECONDS.max),
    windowStart: toLocalInput(evening),
    windowHours: String(USUAL_HOURS),
  };
}

/** "2026-03-09T20:00" */
export function toLocalInput(at: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day}T${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** The parameters of an action from what was typed, or what is wrong with each field. */
export function paramsOfDraft(action: RepairAction, draft: RepairDraft, nowMs: number): DraftParams {
  const { params } = REPAIRS[action];
  if (params.includes('service')) {
    const service = draft.service.trim();
    if (service === '') return { faults: { service: 'Name the service.' } };
    if (!SERVICE_NAME.test(service)) {
      return { faults: { service: 'Letters, digits and @ . _ - only, 64 at most, no hyphen at the beginning.' } };
    }
    return { params: { service } };
  }
  if (params.includes('idle_seconds')) {
    const idle = Number(draft.idleSeconds);
    const isFit = draft.idleSeconds.trim() !== '' && Number.isInteger(idle);
    if (!isFit || idle < IDLE_SECONDS.min || idle > IDLE_SECONDS.max) {
      return { faults: { idleSeconds: `A whole number from ${IDLE_SECONDS.min} to ${IDLE_SECONDS.max}.` } };
    }
    return { params: { idle_seconds: idle } };
  }
  if (params.includes('window_start_ms')) return windowOfDraft(draft, nowMs);
  return { params: {} };
}

function windowOfDraft({ windowStart, windowHours }: RepairDraft, nowMs: number): DraftParams {
  const startMs = new Date(windowStart).getTime();
  if (windowStart === '' || !Number.isFinite(startMs)) return { faults: { windowStart: 'Name day and time.' } };
  const hours = windowHours.trim() === '' ? Number.NaN : Number(windowHours);
  const lengthMs = Math.round(hours * HOUR_MS);
  if (!(lengthMs > 0) || lengthMs > MAX_WINDOW_MS) {
    return { faults: { windowHours: 'More than 0 and at most 24 hours.' } };
  }
  const endMs = startMs + lengthMs;
  if (endMs <= nowMs) return { faults: { windowStart: 'That window is over.' } };
  if (endMs > nowMs + MAX_WINDOW_AHEAD_MS) return { faults: { windowStart: 'It has to end within 7 days.' } };
  return { params: { window_start_ms: startMs, window_end_ms: endMs } };
}
