/** The wake-up over MQTT 3.1.1: it says that and why a box should ask, never what there is to do. */
export {
  readWakePassword,
  WAKE_METHOD,
  WAKE_PATH,
  WAKE_SUBPROTOCOL,
  type WakeSigner,
  wakePassword,
  wakeSigner,
} from './access.ts';
export { WAKE_LIMITS } from './limits.ts';
export { readWakeReason, WAKE_REASONS, type WakeReason, wakeTopic } from './message.ts';
