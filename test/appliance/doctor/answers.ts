// What may answer in a relay's place: one listener for each of the ways named on the command line, until it is killed.
import { readFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { createServer as createTlsServer } from 'node:https';

const [host, portText, how, detail = ''] = process.argv.slice(2);
const port = Number(portText);

const page = '<!doctype html><title>Guest network</title><form>Accept the terms</form>';
const answers: Record<string, { status: number; headers: Record<string, string>; body: string }> = {
  redirect: { status: 302, headers: { location: 'http://portal.guest.test/login' }, body: '' },
  page: { status: 200, headers: { 'content-type': 'text/html' }, body: page },
  'network-login': { status: 511, headers: { 'content-type': 'text/html' }, body: page },
  stranger: { status: 200, headers: { 'content-type': 'application/json' }, body: '{"relayKeys":"bm90IHNpZ25lZA"}' },
  busy: { status: 503, headers: { 'retry-after': '5' }, body: '' },
};

if (how === 'tls') {
  // In front of a real relay, as a load balancer with its certificate would be.
  const { key, cert, to } = JSON.parse(readFileSync(detail, 'utf8')) as { key: string; cert: string; to: string };
  createTlsServer({ key, cert }, (incoming, outgoing) => {
    const { method, headers, url } = incoming;
    const onward = request(`${to}${url}`, { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  }).listen(port, host, ready);
} else {
  createServer((_incoming, outgoing) => {
    const answer = answers[how ?? ''];
    if (answer === undefined) outgoing.destroy();
    else outgoing.writeHead(answer.status, answer.headers).end(answer.body);
  }).listen(port, host, ready);
}

function ready(): void {
  console.log('{"ready":true}');
}
