/** What a stream says when nobody reads it any more: a closed pipe or socket, a terminal that went away. */
const GONE = new Set(['EPIPE', 'ECONNRESET', 'EIO', 'ERR_STREAM_DESTROYED']);

/**
 * Whoever reads the output may go away (`| head -1`, a log collector that ends), and that is no fault of the program: it
 * ends what it does, without a word, and a daemon lives on without its log. Ending at once instead was rejected: a
 * command could stop between two of its steps. Output that was lost for another reason (a full disk) makes exit code 1.
 */
export function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (GONE.has(error.code ?? '')) return;
      process.exitCode ||= 1;
      if (stream === process.stdout) process.stderr.write(`Output was lost: ${error.message}\n`);
    });
  }
}
