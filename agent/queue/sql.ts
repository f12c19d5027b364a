/** Statements that run for every report or order. A test pins their plans. */
export const SQL = {
  insertReport: 'INSERT INTO report (seq, body, created_at_ms) VALUES (@seq, @body, @nowMs)',
  raiseLastSeq: 'UPDATE agent_state SET last_seq = last_seq + 1 WHERE id = 1 RETURNING last_seq',
  nextReports: 'SELECT seq, body FROM report WHERE seq > @afterSeq ORDER BY seq LIMIT @limit',
  deleteThrough: 'DELETE FROM report WHERE seq <= @seq',
  deleteOne: 'DELETE FROM report WHERE seq = @seq',
  countReports: 'SELECT count(*) AS n FROM report',
  deleteOldest: 'DELETE FROM report WHERE seq IN (SELECT seq FROM report ORDER BY seq LIMIT @count)',
  deleteAged: 'DELETE FROM report WHERE created_at_ms < @beforeMs AND created_at_ms > @floorMs',
  countLoss: `INSERT INTO loss (reason, reports, first_at_ms, last_at_ms) VALUES (@reason, @reports, @nowMs, @nowMs)
    ON CONFLICT (reason) DO UPDATE SET reports = reports + excluded.reports, last_at_ms = excluded.last_at_ms`,
  waitingReceipts:
    'SELECT position, order_id, body FROM order_receipt WHERE delivered = 0 AND position > @after ORDER BY position LIMIT @limit',
  findOrder: 'SELECT state FROM agent_order WHERE order_id = @orderId',
} as const;
