export { type Screen, screenOf } from './screen.ts';
