import { type Access, ROUTES, type RouteContract } from '../../relay/routes/contract/table.ts';
import { code, page, table } from './markdown.ts';

const WORDS: Record<Extract<Access, string>, string> = {
  public: 'anyone',
  box: 'a claimed box (signed)',
  newBox: 'any box (signed by its own key)',
  link: 'holder of a one-time link',
};

const who = (access: Access): string => (typeof access === 'string' ? WORDS[access] : access.join(', '));

export const routesPage = (): string =>
  page(
    'Routes of the relay',
    'Schemas are in `relay/openapi.json`, also served at `/api/openapi.json`.',
    table(
      ['route', 'who may', 'what'],
      Object.values<RouteContract>(ROUTES).map((route) => [
        code(`${route.method} ${route.url}`),
        who(route.access),
        route.summary,
      ]),
    ),
  );
