/** Statements that run for every report or order. A test pins their plans. */
export const SQL = {
  insertReport: 'INSERT INTO report (body, created_at_ms) VALUES (@body, @nowMs)',
  nextReports: 'SELECT position, seq, body FROM report WHERE position > @after ORDER BY position LIMIT @limit',
  nextUnnumbered: 'SELECT position FROM report WHERE seq IS NULL ORDER BY position LIMIT @limit',
  setSeq: 'UPDATE report SET seq = @seq WHERE position = @position',
  setLastSeq: 'UPDATE agent_state SET last_seq = @lastSeq WHERE id = 1',
  oldest: 'SELECT created_at_ms AS atMs FROM report ORDER BY position LIMIT 1',
  firstSeq: 'SELECT min(seq) AS seq FROM report',
  deleteThrough: 'DELETE FROM report WHERE seq <= @seq',
  deleteOldest:
    'DELETE FROM report WHERE position IN (SELECT position FROM report WHERE seq IS NULL ORDER BY position LIMIT @count)',
  deleteAged: 'DELETE FROM report WHERE seq IS NULL AND created_at_ms < @beforeMs AND created_at_ms > @floorMs',
  countLoss: `INSERT INTO loss (reason, reports, first_at_ms, last_at_ms) VALUES (@reason, @reports, @nowMs, @nowMs)
    ON CONFLICT (reason) DO UPDATE SET reports = reports + excluded.reports, last_at_ms = excluded.last_at_ms`,
  waitingReceipts:
    'SELECT position, order_id, body FROM order_receipt WHERE delivered = 0 AND position > @after ORDER BY position LIMIT @limit',
  findOrder: 'SELECT state FROM agent_order WHERE order_id = @orderId',
} as const;
