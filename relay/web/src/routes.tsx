import { createBrowserRouter } from 'react-router';
import { Crash } from './layout/crash';
import { Shell } from './layout/shell';
import { SessionGate } from './session/session-gate';

/** Each page is fetched when it is first opened: a phone at the rack gets the claim page and nothing else. */
export function makeRouter() {
  return createBrowserRouter([
    {
      ErrorBoundary: Crash,
      HydrateFallback: () => null,
      children: [
        {
          path: '/sign-in',
          lazy: async () => ({ Component: (await import('./pages/sign-in/sign-in-page')).SignInPage }),
        },
        { path: '/code', lazy: async () => ({ Component: (await import('./pages/code/code-page')).CodePage }) },
        {
          Component: SessionGate,
          children: [
            { path: '/claim', lazy: async () => ({ Component: (await import('./pages/claim/claim-page')).ClaimPage }) },
            {
              Component: Shell,
              children: [
                {
                  ErrorBoundary: Crash,
                  children: [
                    {
                      index: true,
                      lazy: async () => ({ Component: (await import('./pages/sites/sites-page')).SitesPage }),
                    },
                    {
                      path: '/sites/:siteId/:section?',
                      lazy: async () => ({ Component: (await import('./pages/site/site-page')).SitePage }),
                    },
                    {
                      path: '/provisioning',
                      lazy: async () => ({
                        Component: (await import('./pages/provisioning/provisioning-page')).ProvisioningPage,
                      }),
                    },
                    {
                      path: '*',
                      lazy: async () => ({
                        Component: (await import('./pages/not-found/not-found-page')).NotFoundPage,
                      }),
                    },
                  ],
                },
              ],
            },
          ],
        },
      ],
    },
  ]);
}
