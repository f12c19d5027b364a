/** Standard output holds only what was asked for; logs go to standard error. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
