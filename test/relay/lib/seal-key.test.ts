import t from 'tap';
import nacl from 'tweetnacl';
import { sealTo } from '../../../relay/keys/index.ts';
import { sealKeyFault } from '../../../relay/lib/seal-key.ts';

/** u of every point of order 1, 2, 4 and 8 of the curve and its twist, and second names of them above the prime. */
const LOW_ORDER = [
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  `ec${'ff'.repeat(30)}7f`,
  `ed${'ff'.repeat(30)}7f`,
  `ee${'ff'.repeat(30)}7f`,
  `${'00'.repeat(31)}80`,
  `ed${'ff'.repeat(31)}`,
];

t.test('a key that anybody can open secrets of is no key', async (t) => {
  for (const hex of LOW_ORDER) {
    const seal = Buffer.from(hex, 'hex').toString('base64url');
    t.equal(sealKeyFault(seal), 'has low order', hex);
    const content = { siteId: `site_${'a'.repeat(26)}`, name: 'router', value: 'secret' };
    t.throws(() => sealTo(seal, content), { code: 'SECRET_KEY_UNFIT' });
  }
  for (const seal of ['', 'AA', 'A'.repeat(44)]) t.match(sealKeyFault(seal), /32 bytes/, seal);
});

t.test('keys that boxes make are taken', async (t) => {
  for (let made = 0; made < 50; made += 1) {
    t.equal(sealKeyFault(Buffer.from(nacl.box.keyPair().publicKey).toString('base64url')), undefined);
  }
});
