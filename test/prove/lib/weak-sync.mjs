// Preloaded into the control run only: keeps SQLite at synchronous=NORMAL while the program believes it set FULL.
// The promise is broken on purpose; the proof must then see acknowledged rows disappear.
import { createRequire } from 'node:module';

const require = createRequire(new URL('../../../appliance/package.json', import.meta.url));
const Database = require('better-sqlite3');
const pragma = Database.prototype.pragma;
Database.prototype.pragma = function weakened(text, options) {
  if (/^\s*synchronous\s*=/i.test(text)) return pragma.call(this, 'synchronous = NORMAL', options);
  if (/^\s*synchronous\s*$/i.test(text)) return options?.simple ? 2 : [{ synchronous: 2 }];
  return pragma.call(this, text, options);
};
