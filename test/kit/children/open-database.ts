import { openDatabase } from '@sitewarden/kit/sqlite';
import { EVENT_MIGRATIONS } from '../sqlite/fixtures.ts';

const db = openDatabase(process.argv[2]!, { migrations: EVENT_MIGRATIONS });
db.prepare("INSERT INTO event (body) VALUES ('from a child')").run();
db.close();
