import { appendFileSync, existsSync, rmSync } from 'node:fs';

/**
 * A small daemon: notes its pid in the journal and stays until SIGTERM comes or `<journal>.end` appears. `stubborn`
 * ignores SIGTERM, `brief` ends at once.
 */
const [journal, manner] = process.argv.slice(2) as [string, string | undefined];
appendFileSync(journal, `start ${process.pid}\n`);
process.on('SIGTERM', () => {
  appendFileSync(journal, `term ${process.pid}\n`);
  if (manner !== 'stubborn') process.exit(0);
});
if (manner === 'brief') process.exit(1);
setInterval(() => {
  if (!existsSync(`${journal}.end`)) return;
  rmSync(`${journal}.end`);
  process.exit(1);
}, 20);
