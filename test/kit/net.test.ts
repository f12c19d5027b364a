import { addressKey } from '@sitewarden/kit/net';
import t from 'tap';

t.test('an IPv6 network of 64 bits is one address', async (t) => {
  t.equal(addressKey('192.0.2.7'), '192.0.2.7');
  t.equal(addressKey('::ffff:192.0.2.7'), '192.0.2.7');
  t.equal(addressKey('2001:db8:1:2::7'), '2001:db8:1:2');
  t.equal(addressKey('2001:db8:1:2:ffff:0:0:9'), '2001:db8:1:2');
  t.equal(addressKey('::1'), '0:0:0:0');
  t.equal(addressKey('fe80::1%eth0'), 'fe80:0:0:0');
  t.equal(addressKey('2001:db8::'), '2001:db8:0:0');
});
