// A daemon that leaves a byte in the file it is given each time it starts: how often it was started can be counted.
import { appendFileSync } from 'node:fs';

appendFileSync(process.argv[2] as string, '.');
const alive = setInterval(() => {}, 60_000);
process.on('SIGTERM', () => clearInterval(alive));
