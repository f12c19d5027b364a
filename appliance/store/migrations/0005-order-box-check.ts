import type { Database } from 'better-sqlite3';

/** An order that asks the box itself ends only with its own report: 'wanted' until that is stored, then 'done'. */
export function up(db: Database): void {
  db.exec(`
    ALTER TABLE relay_order ADD COLUMN box_check TEXT CHECK (box_check IN ('wanted', 'done'));
    CREATE INDEX relay_order_box_wanted ON relay_order (seq) WHERE box_check = 'wanted';
  `);
}
