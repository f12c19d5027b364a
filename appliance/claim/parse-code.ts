import { CODE_ALPHABET, type ProvisionClaimRequest } from '@sitewarden/agent-proto/http';
import { applianceErrors } from '../errors.ts';

export type CodeForm = ProvisionClaimRequest['code'];

const FRAGMENT = /^#v1\.([A-Za-z0-9_-]{22})$/;
const TYPED = new RegExp(`^[${CODE_ALPHABET}]{14}$`);
const LOCATOR_CHARS = 4;

/**
 * What a person scanned or typed: the URL of a QR label, whose host must be one of ours, or the 14 letters in any case
 * with any spacing. Throws NOT_OUR_QR, WRONG_RELAY; neither repeats the code.
 */
export function parseCode(text: string, relayHosts: readonly string[]): CodeForm {
  const trimmed = text.trim();
  if (/^[a-z][a-z0-9+.-]*:/i.test(trimmed)) return parseUrl(trimmed, relayHosts);
  const letters = trimmed.toUpperCase().replaceAll(/[\s._\u2010-\u2015-]/g, '');
  if (!TYPED.test(letters)) throw applianceErrors.make('NOT_OUR_QR', { field: 'code' });
  return { form: 'typed', locator: letters.slice(0, LOCATOR_CHARS), secret: letters.slice(LOCATOR_CHARS) };
}

function parseUrl(text: string, relayHosts: readonly string[]): CodeForm {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isWeb = url?.protocol === 'https:' || url?.protocol === 'http:';
  if (url === undefined || !isWeb) throw applianceErrors.make('NOT_OUR_QR', { field: 'code' });
  const secret = FRAGMENT.exec(url.hash)?.[1];
  if (url.pathname === '/claim' && url.hash.startsWith('#v1.')) {
    const detail = 'This is the code a box shows, not the one of a work order';
    throw applianceErrors.make('NOT_OUR_QR', { field: 'code', detail });
  }
  if (url.pathname !== '/code' || secret === undefined || url.search !== '') {
    throw applianceErrors.make('NOT_OUR_QR', { field: 'code' });
  }
  if (!relayHosts.includes(url.host)) {
    throw applianceErrors.make('WRONG_RELAY', { field: 'code', detail: `It is for ${url.host}` });
  }
  return { form: 'qr', secret };
}
