/**
 * Stands where powershell.exe stands: a process that reads the script it is given and answers as argv[2] says. It proves
 * how the agent runs a process, not what Windows answers.
 */
import { writeFileSync } from 'node:fs';

const [, , behaviour, log, ...rest] = process.argv;
const encoded = rest[rest.indexOf('-EncodedCommand') + 1] ?? '';
const script = Buffer.from(encoded, 'base64').toString('utf16le');
if (log) writeFileSync(log, `${rest.slice(0, -1).join(' ')}\n${script}\n`, { flag: 'a' });
const say = (line: string, encoding: BufferEncoding = 'utf8') =>
  process.stdout.write(Buffer.from(`${line}\r\n`, encoding));
const services = '{"s":"services","d":[{"Name":"Spooler","State":"Running","StartMode":"Auto","ExitCode":0}]}';

switch (behaviour) {
  case 'whole':
    say('A profile that talks\u2026');
    say('{"s":"hotfixes","d":{"value":[{"HotFixID":"KB1"}],"Count":1}}');
    say(services);
    break;
  case 'hangs-after-services':
    say(services);
    setTimeout(() => {}, 600_000);
    break;
  case 'talks-without-end':
    for (let i = 0; i < 12_000; i++) process.stdout.write('x'.repeat(1024));
    say('');
    say(services);
    break;
  case 'blocked':
    process.stderr.write('This program is blocked by group policy.\n');
    process.exitCode = 1;
    break;
  case 'cut-off':
    process.stdout.write(`${services}\r\n{"s":"hotfixes","d":[{"HotFix`);
    process.exitCode = 3;
    break;
}
