export { type Assess, createAssess } from './assess.ts';
