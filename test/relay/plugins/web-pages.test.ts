import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Fastify from 'fastify';
import t, { type Test } from 'tap';
import { labelledRoutesOnly } from '../../../relay/plugins/access-guard.ts';
import { errorAnswers } from '../../../relay/plugins/error-answers.ts';
import { securityHeaders } from '../../../relay/plugins/security-headers.ts';
import { PAGE_URLS, webPages } from '../../../relay/plugins/web-pages.ts';

async function pages(t: Test, folder: string, isHttps = false) {
  const app = Fastify({ exposeHeadRoutes: false });
  await app.register(labelledRoutesOnly);
  await app.register(errorAnswers, { methodsAt: () => [], page: join(folder, 'index.html') });
  await app.register(securityHeaders, { isHttps });
  await app.register(webPages, { folder });
  t.teardown(() => app.close());
  return (url: string, accept = 'text/html') => app.inject({ url, headers: { accept } });
}

const BUILT = {
  'index.html': '<!doctype html><title>Sitewarden</title>',
  'icon.svg': '<svg/>',
  assets: { 'index-AbCd1234.js': 'let a', 'index-AbCd1234.css': 'a{}' },
};

t.test('every address of the dashboard answers with the one page', async (t) => {
  const get = await pages(t, t.testdir(BUILT));
  for (const url of ['/sites/site_x', '/sites/site_x/agents', ...PAGE_URLS.filter((one) => !one.includes('*'))]) {
    const answer = await get(url);
    t.equal(answer.statusCode, 200, url);
    t.match(answer.headers['content-type'], 'text/html');
    t.match(answer.body, 'Sitewarden');
    t.equal(answer.headers['cache-control'], 'no-cache', 'a new build is seen at once');
  }
});

t.test('every page of the dashboard can be opened anew by its address', async (t) => {
  const get = await pages(t, t.testdir(BUILT));
  const routes = readFileSync(join(import.meta.dirname, '../../../relay/web/src/routes.tsx'), 'utf8');
  const paths = [...routes.matchAll(/path: '(\/[^']+)'/g)].map(([, path = '']) => path.replace(/:\w+\??/g, 'x'));
  t.ok(paths.length > 8);
  for (const path of paths) t.equal((await get(path)).statusCode, 200, path);
});

t.test('files with a digest in their name are kept for good, the others are asked for again', async (t) => {
  const get = await pages(t, t.testdir(BUILT));
  t.match((await get('/assets/index-AbCd1234.js', '*/*')).headers, {
    'cache-control': 'public, max-age=31536000, immutable',
    'content-type': /javascript/,
  });
  t.equal((await get('/icon.svg', '*/*')).headers['cache-control'], 'no-cache');
});

t.test('what is no page and no file is not found, and so is a page for a program', async (t) => {
  const get = await pages(t, t.testdir(BUILT));
  for (const url of ['/nothing', '/assets/nothing.js', '/..%2f..%2fpackage.json', '/index.html/x']) {
    t.match(await get(url), { statusCode: 404 }, url);
  }
  const nowhere = await get('/nothing', 'text/html,application/xhtml+xml');
  t.match(nowhere.headers['content-type'], 'text/html');
  t.match(nowhere.body, 'Sitewarden', 'the dashboard says that there is no such page');
  t.match((await get('/nothing', '*/*')).json(), { code: 'NOT_FOUND', message: /^The pages begin at \// });
  t.match((await get('/api/nothing')).json(), { code: 'NOT_FOUND' });
  t.match((await get('/', 'application/json')).json(), { code: 'NOT_FOUND' });
});

t.test('a relay without a built dashboard says so', async (t) => {
  const get = await pages(t, t.testdir({}));
  const answer = await get('/');
  t.match(answer.json(), { code: 'NOT_FOUND', message: /dashboard is not built/ });
  t.match((await get('/nothing')).json(), { code: 'NOT_FOUND', message: /\/api\/openapi\.json/ });
});

t.test('over TLS browsers are told to stay there', async (t) => {
  const get = await pages(t, t.testdir(BUILT), true);
  t.match((await get('/')).headers['strict-transport-security'], 'max-age=31536000');
});
