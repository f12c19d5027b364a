import * as http from '@sitewarden/agent-proto/http';
import * as view from './provision-views.ts';
import type { RouteContract } from './table.ts';
import { Ok } from './views.ts';
import { admins, claimers, operators } from './who.ts';

/** What staff do with provisioning codes and with boxes that want in. */
export const PROVISION_ROUTES = {
  codes: {
    method: 'GET',
    url: '/api/provision/codes',
    access: operators,
    summary: 'Provisioning codes and their life',
    response: view.CodeList,
  },
  createCode: {
    method: 'POST',
    url: '/api/provision/codes',
    access: operators,
    summary: 'Make a provisioning code for a site',
    body: view.CodeRequest,
    response: view.CodeCreated,
    status: 201,
  },
  revokeCode: {
    method: 'DELETE',
    url: '/api/provision/codes/:codeId',
    access: operators,
    summary: 'Revoke a code',
    params: http.closed({ codeId: http.Id('pc') }),
    response: Ok,
  },
  printLabels: {
    method: 'POST',
    url: '/api/provision/labels',
    access: operators,
    summary: 'Make codes for sites and print them on a label sheet',
    body: view.LabelsRequest,
    response: 'application/pdf',
    status: 201,
  },
  claimSessions: {
    method: 'GET',
    url: '/api/provision/sessions',
    access: operators,
    summary: 'Claims that wait for approval and recent ones',
    response: view.ClaimSessionList,
  },
  claimSession: {
    method: 'GET',
    url: '/api/provision/sessions/:session',
    access: claimers,
    summary: 'How one claim stands; a box nobody has claimed is found by its QR code alone',
    params: http.closed({ session: http.Id('ps') }),
    response: view.ClaimSessionView,
  },
  lookupClaim: {
    method: 'POST',
    url: '/api/provision/lookup',
    access: claimers,
    summary: 'Find the box whose QR code was scanned; with siteId, what it would replace there',
    body: view.ClaimLookup,
    response: view.ClaimSessionView,
  },
  claimBox: {
    method: 'POST',
    url: '/api/provision/sessions/:session/claim',
    access: claimers,
    summary: 'Claim the box for a site; by an admin this is also the approval',
    params: http.closed({ session: http.Id('ps') }),
    body: view.ClaimRequest,
    response: view.ClaimSessionView,
  },
  approveClaim: {
    method: 'POST',
    url: '/api/provision/sessions/:session/approve',
    access: admins,
    summary: 'Approve a claim with its number',
    params: http.closed({ session: http.Id('ps') }),
    body: view.ApproveRequest,
    response: view.ClaimSessionView,
  },
  rejectClaim: {
    method: 'POST',
    url: '/api/provision/sessions/:session/reject',
    access: admins,
    summary: 'Reject a claim',
    params: http.closed({ session: http.Id('ps') }),
    response: view.ClaimSessionView,
  },
} as const satisfies Record<string, RouteContract>;
