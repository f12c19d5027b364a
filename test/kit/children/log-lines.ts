// Logs on standard output, whatever becomes of that, and says at its end on standard error that it came there.
import { createLogger } from '@sitewarden/kit/log';
import { outliveReaders } from '@sitewarden/kit/stdio';

outliveReaders();
const log = createLogger({ name: 'lines', level: 'info' });
for (let line = 0; line < 50; line++) {
  log.info({ line }, 'x'.repeat(5000));
  await new Promise((resolve) => setImmediate(resolve));
}
process.stderr.write('came to its end\n');
