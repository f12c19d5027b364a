import { PROTO_ERRORS } from '@sitewarden/agent-proto/errors';
import { kitErrors } from '@sitewarden/kit/errors';
import { agentErrors } from '../../agent/errors.ts';
import { applianceErrors } from '../../appliance/errors.ts';
import { relayErrors } from '../../relay/errors.ts';
import { code, page, table } from './markdown.ts';

interface Row {
  status?: number;
  message: string;
}

const section = (title: string, entries: Readonly<Record<string, Row>>): string =>
  `## ${title}\n\n${table(
    ['code', 'HTTP', 'what it says'],
    Object.entries(entries)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { status, message }]) => [code(name), status ? String(status) : '', message]),
  )}`;

export const errorsPage = (): string =>
  page(
    'Error codes',
    'Codes are stable; sentences may improve.',
    section('Relay', relayErrors.table),
    section('Appliance', applianceErrors.table),
    section('Agent', agentErrors.table),
    section('Shared inside the programs', kitErrors.table),
    section(
      'The contract',
      Object.fromEntries(Object.entries(PROTO_ERRORS).map(([name, message]) => [name, { message }])),
    ),
  );
