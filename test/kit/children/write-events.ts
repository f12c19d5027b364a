import { writeSync } from 'node:fs';
import { isCodedError } from '@sitewarden/kit/errors';
import { GroupCommit, openDatabase } from '@sitewarden/kit/sqlite';
import { EVENT_MIGRATIONS } from '../sqlite/fixtures.ts';

/**
 * Stores events one after the other or many at once and says `ack <id>` for each promise kept, `refused <code>` for each
 * broken one. `dieInBatch`: kills itself inside that transaction, after its rows were written and before COMMIT.
 * `ackEarly` is the control: it acknowledges before the commit.
 */
interface Job {
  path: string;
  from: number;
  count: number;
  bodyBytes: number;
  isConcurrent: boolean;
  dieInBatch?: number;
  ackEarly?: boolean;
}

const job = JSON.parse(process.argv[2]!) as Job;
const say = (line: string) => writeSync(1, `${line}\n`);

const db = openDatabase(job.path, { migrations: EVENT_MIGRATIONS });
say('open');
const insert = db.prepare('INSERT INTO event (id, body) VALUES (?, ?)');
const body = 'x'.repeat(job.bodyBytes);
let batches = 0;
const group = new GroupCommit<number, number>({
  db,
  commit: (batch) => {
    for (const id of batch) insert.run(id, body);
    if (++batches === job.dieInBatch) process.kill(process.pid, 'SIGKILL');
    return [...batch];
  },
  onError: (error, { size, needsReopen }) => say(`error ${(error as { code?: string }).code} ${size} ${needsReopen}`),
});

async function store(id: number): Promise<void> {
  if (job.ackEarly) say(`ack ${id}`);
  try {
    await group.add(id);
    if (!job.ackEarly) say(`ack ${id}`);
  } catch (error) {
    say(`refused ${isCodedError(error) ? error.code : (error as { code?: string }).code}`);
  }
}

const ids = Array.from({ length: job.count }, (_, i) => job.from + i);
if (job.isConcurrent) await Promise.all(ids.map(store));
else for (const id of ids) await store(id);
say('end');
