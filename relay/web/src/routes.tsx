import { createBrowserRouter } from 'react-router';
import { Crash } from './layout/crash.tsx';
import { Shell } from './layout/shell.tsx';
import { SessionGate } from './session/session-gate.tsx';

/** Each page is fetched when it is first opened: a phone at the rack gets the claim page and nothing else. */
export function makeRouter() {
  return createBrowserRouter([
    {
      ErrorBoundary: Crash,
      HydrateFallback: () => null,
      children: [
        {
          path: '/sign-in',
          lazy: async () => ({ Component: (await import('./pages/sign-in/sign-in-page.tsx')).SignInPage }),
        },
        {
          path: '/invite',
          lazy: async () => ({ Component: (await import('./pages/invite/invite-page.tsx')).InvitePage }),
        },
        { path: '/code', lazy: async () => ({ Component: (await import('./pages/code/code-page.tsx')).CodePage }) },
        {
          Component: SessionGate,
          children: [
            {
              path: '/claim',
              lazy: async () => ({ Component: (await import('./pages/claim/claim-page.tsx')).ClaimPage }),
            },
            {
              path: '/receipts/:receiptId',
              lazy: async () => ({ Component: (await import('./pages/receipt/receipt-page.tsx')).ReceiptPage }),
            },
            {
              Component: Shell,
              children: [
                {
                  ErrorBoundary: Crash,
                  children: [
                    {
                      index: true,
                      lazy: async () => ({ Component: (await import('./pages/sites/sites-page.tsx')).SitesPage }),
                    },
                    {
                      path: '/sites/:siteId/agents',
                      lazy: async () => ({ Component: (await import('./pages/agents/agents-page.tsx')).AgentsPage }),
                    },
                    {
                      path: '/sites/:siteId/agents/:agentId',
                      lazy: async () => ({ Component: (await import('./pages/agents/agent-page.tsx')).AgentPage }),
                    },
                    {
                      path: '/sites/:siteId/leave',
                      lazy: async () => ({ Component: (await import('./pages/leave/leave-page.tsx')).LeavePage }),
                    },
                    {
                      path: '/sites/:siteId/quarantine',
                      lazy: async () => ({
                        Component: (await import('./pages/quarantine/quarantine-page.tsx')).QuarantinePage,
                      }),
                    },
                    {
                      path: '/sites/:siteId/:section?',
                      lazy: async () => ({ Component: (await import('./pages/site/site-page.tsx')).SitePage }),
                    },
                    {
                      path: '/provisioning',
                      lazy: async () => ({
                        Component: (await import('./pages/provisioning/provisioning-page.tsx')).ProvisioningPage,
                      }),
                    },
                    {
                      path: '/people',
                      lazy: async () => ({ Component: (await import('./pages/people/people-page.tsx')).PeoplePage }),
                    },
                    {
                      path: '/account',
                      lazy: async () => ({ Component: (await import('./pages/account/account-page.tsx')).AccountPage }),
                    },
                    {
                      path: '*',
                      lazy: async () => ({
                        Component: (await import('./pages/not-found/not-found-page.tsx')).NotFoundPage,
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
