// Runs every test file (or the ones named) and closes with the line `N passed, N failed, N skipped`.
// One unit is one named test without tests inside. With CI=true a skipped test counts as failed.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Parser, type Result } from 'tap-parser';
import { programEnvironment } from './lib/programs.ts';

interface Tally {
  passed: number;
  failed: string[];
  skipped: string[];
}

const root = join(import.meta.dirname, '..');
process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  const tally: Tally = { passed: 0, failed: [], skipped: [] };
  const parser = new Parser();
  watch(parser, [], tally);
  const code = await runTap(args, parser);

  const strict = process.env.CI === 'true';
  for (const name of tally.failed) console.log(`failed:  ${name}`);
  for (const name of tally.skipped) console.log(`skipped: ${name}`);
  if (strict && tally.skipped.length > 0) {
    console.log('With CI=true a skipped test is a failed one: install what it names (see CONTRIBUTING.md).');
    tally.failed.push(...tally.skipped.splice(0));
  }
  if (tally.passed + tally.failed.length + tally.skipped.length === 0) tally.failed.push('no test ran');
  if (code !== 0 && tally.failed.length === 0) tally.failed.push(`the test runner ended with ${code}`);
  console.log(`${tally.passed} passed, ${tally.failed.length} failed, ${tally.skipped.length} skipped`);
  return tally.failed.length === 0 ? 0 : 1;
}

function runTap(args: string[], parser: Parser): Promise<number> {
  const tap = join(dirname(createRequire(import.meta.url).resolve('tap/package.json')), 'dist', 'esm', 'run.mjs');
  const child = spawn(process.execPath, [tap, '--reporter=tap', ...args], {
    cwd: root,
    env: programEnvironment(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (text: string) => parser.write(text));
  return new Promise((resolve) => {
    child.on('close', (code) => {
      parser.end();
      resolve(code ?? 1);
    });
  });
}

/** Counts the leaves below one parser; prints a line for each test file and the diagnostics of each failure. */
function watch(parser: Parser, path: string[], tally: Tally): void {
  const inner = new Set<string>();
  parser.on('child', (child: Parser) => {
    inner.add(child.name);
    watch(child, [...path, child.name], tally);
  });
  parser.on('assert', (result: Result) => {
    const isFile = path.length === 0;
    if (isFile)
      console.log(
        `${result.ok ? 'ok    ' : 'NOT OK'} ${result.name}${result.time ? ` ${Math.round(result.time)} ms` : ''}`,
      );
    if (result.skip && path.length > 0) {
      tally.skipped.push(`${[...path, result.name].join(' > ')}${result.skip === true ? '' : ` (${result.skip})`}`);
      return;
    }
    const isGroup = inner.has(result.name);
    if (isFile && !isGroup && !result.ok) tally.failed.push(result.name);
    if (!result.ok && !isGroup) report([...path, result.name].join(' > '), result);
  });
  parser.on('complete', (results) => {
    if (path.length < 2 || inner.size > 0) {
      // A file with assertions outside any test counts once, as itself.
      const bare = path.length === 1 && inner.size === 0 && results.count > 0;
      if (!bare) return;
    }
    if (results.count > 0 && results.skip === results.count) return;
    if (results.ok) tally.passed += 1;
    else tally.failed.push(path.join(' > '));
  });
}

function report(name: string, result: Result): void {
  console.log(`  failure in ${name.slice(0, 400)}`);
  const text = JSON.stringify(result.diag, null, 2) ?? '';
  console.log(
    text
      .split('\n')
      .slice(0, 25)
      .map((line) => `    ${line.slice(0, 400)}`)
      .join('\n'),
  );
}
