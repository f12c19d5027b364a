import { Metadata, status } from '@grpc/grpc-js';
import { nextDelayMs } from '@sitewarden/kit/backoff';
import t from 'tap';
import { classifyEnd, PUSH_RETRY } from '../../../agent/push/index.ts';
import { refusedKind, retryFloorMs } from '../../../agent/push/session-end.ts';

const trailer = (value: string) => {
  const metadata = new Metadata();
  metadata.set('retry-delay-ms', value);
  return metadata;
};

t.test('a session ends by its status code', async (t) => {
  const end = (code: status, metadata?: Metadata) =>
    classifyEnd({ code, details: 'words', ...(metadata === undefined ? {} : { metadata }) });
  t.match(end(status.PERMISSION_DENIED), { kind: 'removed' });
  t.match(end(status.UNAUTHENTICATED), { kind: 'unauthenticated' });
  t.match(end(status.RESOURCE_EXHAUSTED, trailer('2500')), { kind: 'exhausted', floorMs: 2500 });
  t.match(end(status.RESOURCE_EXHAUSTED), { kind: 'exhausted', floorMs: 0 });
  t.match(end(status.INVALID_ARGUMENT), { kind: 'refused' });
  const tooLarge = new Metadata();
  tooLarge.set('error-code', 'MESSAGE_TOO_LARGE');
  t.match(end(status.RESOURCE_EXHAUSTED, tooLarge), { kind: 'refused' }, 'waiting makes nothing smaller');
  for (const code of [status.UNAVAILABLE, status.INTERNAL, status.FAILED_PRECONDITION, status.OK, 99 as status]) {
    t.match(end(code), { kind: 'lost', detail: /words$/ });
  }
});

t.test('a refusal keeps its code, its field and its words', async (t) => {
  const metadata = new Metadata();
  metadata.set('error-code', 'MESSAGE_INVALID');
  metadata.set('error-field', 'heartbeat.telemetry');
  const end = classifyEnd({ code: status.INVALID_ARGUMENT, details: 'too long. Correct it.', metadata });
  t.strictSame(end, {
    kind: 'refused',
    code: 'MESSAGE_INVALID',
    field: 'heartbeat.telemetry',
    detail: 'INVALID_ARGUMENT: too long. Correct it.',
  });
  const kindOf = (field: string) => refusedKind({ kind: 'refused', code: 'X', field, detail: '' });
  for (const field of ['report', 'seq', 'results', 'results.facts', 'rmm_findings.product', 'order_id'])
    t.equal(kindOf(field), 'report', field);
  t.equal(kindOf('order_receipt.code'), 'receipt');
  t.equal(kindOf('heartbeat.sent_at_ms'), 'heartbeat');
  for (const field of ['', 'host.hostname', 'message']) t.equal(kindOf(field), undefined, field);
});

t.test('a pause that is no number is none, and none is longer than an hour', async (t) => {
  for (const text of ['', '-1', '1e3', 'soon', '1.5']) t.equal(retryFloorMs(trailer(text)), 0, text);
  t.equal(retryFloorMs(trailer('999999999')), 3_600_000);
  t.equal(retryFloorMs(undefined), 0);
});

t.test('tries are spread over the whole wait, which grows to a minute and no further', async (t) => {
  const wait = (attempt: number, random: number, floorMs = 0) =>
    nextDelayMs({ ...PUSH_RETRY, attempt, random: () => random, floorMs });
  t.equal(wait(0, 0.999), 999);
  t.equal(wait(3, 0.5), 4000);
  t.equal(wait(50, 0), 0);
  t.equal(wait(50, 0.9999), 59_994);
  t.equal(wait(0, 0.5, 1500), 2000, 'the appliance is never asked sooner than it said');
});
