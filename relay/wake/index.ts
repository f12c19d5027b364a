/** The wake-up: an MQTT broker inside the relay that tells a box that something waits for it, and nothing else. */
export { createWakeService, type WakeConfig, type WakeService, type Wakes } from './service.ts';
export { isWakeUpgrade, offersMqtt } from './websocket.ts';
