export { outliveReaders } from './outlive-readers.ts';
