import * as http from '@sitewarden/agent-proto/http';
import * as view from './custody-views.ts';
import type { RouteContract } from './table.ts';
import { admins, everyone, operators } from './who.ts';

const site = http.closed({ siteId: http.Id('site') });
const session = http.closed({ session: http.Id('ps') });

/** Who has a box: releases, removals, boxes that come back under a new key, receipts. */
export const CUSTODY_ROUTES = {
  boxRelease: {
    method: 'GET',
    url: http.BOX_PATHS.release,
    access: 'box',
    summary: 'The release that waits for the box; from here on it cannot be taken back',
    response: http.ReleaseAnswer,
    isTokenAsked: true,
  },
  boxReleased: {
    method: 'POST',
    url: http.BOX_PATHS.released,
    access: 'box',
    summary: 'The box has closed its log and leaves its site',
    body: http.ReleasedRequest,
    response: http.ReleasedAnswer,
    isTokenAsked: true,
  },
  custody: {
    method: 'GET',
    url: '/api/sites/:siteId/custody',
    access: everyone,
    summary: 'The release that waits at a site, and its receipts',
    params: site,
    response: view.CustodyView,
  },
  orderRelease: {
    method: 'POST',
    url: '/api/sites/:siteId/release',
    access: operators,
    summary: 'Ask the box to close its log and leave; it hears of it at its next check-in',
    params: site,
    body: view.ReleaseWish,
    response: view.CustodyView,
  },
  transferBox: {
    method: 'POST',
    url: '/api/sites/:siteId/transfer',
    access: admins,
    summary:
      'Move the box to another site: it closes its log, forgets this site and is given the claim of the other one',
    params: site,
    body: view.TransferWish,
    response: view.CustodyView,
  },
  withdrawRelease: {
    method: 'POST',
    url: '/api/sites/:siteId/release/withdraw',
    access: operators,
    summary: 'Take a release back that the box has not got yet',
    params: site,
    body: view.ReleaseId,
    response: view.CustodyView,
  },
  cancelMove: {
    method: 'POST',
    url: '/api/sites/:siteId/arriving/cancel',
    access: admins,
    summary: 'Expect a box no longer that left another site for this one; it is free and shows its code',
    params: site,
    body: view.ArrivingBox,
    response: view.CustodyView,
  },
  removeBox: {
    method: 'POST',
    url: '/api/sites/:siteId/appliance/remove',
    access: admins,
    summary: 'Take a box off its site at once that cannot be asked: lost, broken, stolen',
    params: site,
    body: view.ReleaseWish,
    response: view.CustodyView,
  },
  receipt: {
    method: 'GET',
    url: '/api/receipts/:receiptId',
    access: everyone,
    summary: 'One receipt, with what a stranger needs to check it offline',
    params: http.closed({ receiptId: http.Id('rcp') }),
    response: view.ReceiptView,
  },
  quarantine: {
    method: 'GET',
    url: '/api/sites/:siteId/quarantine',
    access: everyone,
    summary: 'Which machines use the identity of a box in quarantine, and what tells them apart',
    params: site,
    response: view.QuarantineView,
  },
  availability: {
    method: 'GET',
    url: '/api/sites/:siteId/availability',
    access: everyone,
    summary: 'For how long of the last hours and days the box of a site was heard',
    params: site,
    response: view.AvailabilityView,
  },
  rearms: {
    method: 'GET',
    url: '/api/provision/rearms',
    access: operators,
    summary: 'Boxes that came back under a new key and ask for their place',
    query: view.RearmQuery,
    response: view.RearmList,
  },
  findRearm: {
    method: 'POST',
    url: '/api/provision/rearms/search',
    access: operators,
    summary: 'Find such a box by the number it shows; each search counts, of a person and of the partner',
    body: view.RearmSearch,
    response: view.RearmList,
  },
  rearmBox: {
    method: 'POST',
    url: '/api/provision/rearms/:session',
    access: admins,
    summary: 'Give such a box its place back, with the number it shows',
    params: session,
    body: view.RearmRequest,
    response: view.RearmAnswer,
  },
} as const satisfies Record<string, RouteContract>;
