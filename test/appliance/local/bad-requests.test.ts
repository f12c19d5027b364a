import t from 'tap';
import { localPage } from '../../helpers/local-page.ts';
import { sendRaw } from '../../helpers/raw-http.ts';

t.test('what is no HTTP is answered with a code and strict headers', async (t) => {
  const { url } = await localPage(t);
  const cases: [string, string][] = [
    ['GET / HTTP/1.1\r\nhost: localhost\r\nbad header\r\n\r\n', 'LOCAL_BODY_INVALID'],
    ['GET / HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n\r\n', 'LOCAL_BODY_INVALID'],
    [`GET / HTTP/1.1\r\nhost: localhost\r\nx-long: ${'a'.repeat(40_000)}\r\n\r\n`, 'LOCAL_BODY_TOO_LARGE'],
    ['GET /%ff HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n', 'LOCAL_NOT_FOUND'],
  ];
  for (const [request, code] of cases) {
    const answer = await sendRaw(url, request);
    t.match(answer, /^HTTP\/1\.1 4\d\d /);
    t.match(answer, /\r\ncontent-security-policy: default-src 'none'/i);
    t.match(answer, `"code":"${code}"`);
  }
});
