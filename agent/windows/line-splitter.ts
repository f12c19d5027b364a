/** Lines of a stream of bytes; what comes after the last newline is kept for the next piece. Longer ones are dropped whole. */
export function createLineSplitter(maxLineBytes: number, onLine: (line: string) => void): (chunk: Buffer) => void {
  let pieces: Buffer[] = [];
  let bytes = 0;
  let isTooLong = false;

  function keep(piece: Buffer): void {
    bytes += piece.length;
    if (bytes > maxLineBytes) {
      isTooLong = true;
      pieces = [];
    } else {
      pieces.push(piece);
    }
  }

  return (chunk) => {
    let from = 0;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      keep(chunk.subarray(from, at));
      if (!isTooLong) onLine(Buffer.concat(pieces).toString('utf8').replace(/\r$/, ''));
      pieces = [];
      bytes = 0;
      isTooLong = false;
      from = at + 1;
    }
    keep(chunk.subarray(from));
  };
}
