import { CodedError, defineErrors, grpcFromHttp, isCodedError, kitErrors } from '@sitewarden/kit/errors';
import t from 'tap';

const errors = defineErrors({
  SITE_UNKNOWN: { status: 404, message: 'No such site. Check the id.' },
  DISK_FULL: { status: 507, grpc: 8, message: 'The disk is full. Free some space.' },
});

t.test('an error carries its code, status, gRPC status and a sentence with the next step', async (t) => {
  const error = errors.make('SITE_UNKNOWN', { detail: 'site_x was asked for', field: 'siteId' });
  t.ok(error instanceof Error);
  t.equal(error.code, 'SITE_UNKNOWN');
  t.equal(error.status, 404);
  t.equal(error.grpc, 5);
  t.equal(error.message, 'site_x was asked for. No such site. Check the id.');
  t.equal(error.field, 'siteId');
});

t.test('JSON holds what a peer may see and nothing of the cause', async (t) => {
  const error = errors.make('DISK_FULL', { cause: new Error('inside'), data: { freeBytes: 0 } });
  t.strictSame(JSON.parse(JSON.stringify(error)), {
    code: 'DISK_FULL',
    message: 'The disk is full. Free some space.',
    data: { freeBytes: 0 },
  });
  t.equal((error.cause as Error).message, 'inside');
  t.notOk('field' in errors.make('DISK_FULL'), 'no field unless one was given');
});

t.test('errors are told apart by table and by code', async (t) => {
  const error: unknown = errors.make('DISK_FULL');
  t.ok(isCodedError(error));
  t.ok(isCodedError(error, 'DISK_FULL'));
  t.notOk(isCodedError(error, 'SITE_UNKNOWN'));
  t.notOk(isCodedError(new Error('DISK_FULL')));
  t.ok(errors.is(error, 'DISK_FULL'));
  t.notOk(kitErrors.is(error));
  t.notOk(errors.is(kitErrors.make('QUEUE_FULL')));
});

t.test('a table with a bad code, status or sentence is refused', async (t) => {
  t.throws(() => defineErrors({ lower: { status: 400, message: 'A. B.' } }), TypeError);
  t.throws(() => defineErrors({ FINE: { status: 200, message: 'A. B.' } }), TypeError);
  t.throws(() => defineErrors({ FINE: { status: 400, message: 'no sentence' } }), TypeError);
});

t.test('every HTTP error has a gRPC status', async (t) => {
  for (let status = 400; status < 600; status++) t.not(grpcFromHttp(status), 0);
  t.equal(grpcFromHttp(418), 3);
  t.equal(grpcFromHttp(599), 13);
});

t.test("each of the library's own codes says a next step", async (t) => {
  for (const code of kitErrors.codes) {
    const { message } = kitErrors.table[code];
    t.ok(message.split(/[.;,] /).length >= 2, `${code}: ${message}`);
    t.ok(kitErrors.make(code) instanceof CodedError);
  }
});
