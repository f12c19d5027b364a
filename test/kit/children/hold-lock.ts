import { acquireLock } from '@sitewarden/kit/files';

/** Takes the lock, says so, and holds it until killed or until its input ends. */
const lock = acquireLock(process.argv[2]!);
process.stdout.write('held\n');
process.stdin.once('end', () => lock.release());
process.stdin.resume();
