// Preloaded into control runs only: of the commits of the intake only one in 25 is made, while the program believes that
// all were. So it acknowledges what its disk does not have, and a crash or a failed sync must be seen to lose it.
import { createRequire } from 'node:module';

const EVERY = 25;
const require = createRequire(new URL('../../../appliance/package.json', import.meta.url));
const Database = require('better-sqlite3');
const { prepare, exec } = Database.prototype;
const late = new WeakMap();

/** Whoever begins a transaction of another kind has what was left out made first. */
Database.prototype.exec = function settled(text) {
  if (/^BEGIN/i.test(text) && this.inTransaction) exec.call(this, 'COMMIT');
  return exec.call(this, text);
};

Database.prototype.prepare = function weakened(text) {
  const statement = prepare.call(this, text);
  if (text === 'BEGIN IMMEDIATE') return { run: () => (this.inTransaction ? undefined : statement.run()) };
  if (text !== 'COMMIT') return statement;
  return {
    run: () => {
      const count = (late.get(this) ?? 0) + 1;
      late.set(this, count % EVERY);
      if (count === EVERY) statement.run();
    },
  };
};
