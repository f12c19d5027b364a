import { isIPv6 } from 'node:net';

/** What counts as one address: an IPv6 network of 64 bits is one household, and has more addresses than there are guesses. */
export function addressKey(ip: string): string {
  const bare = ip.split('%', 1)[0] as string;
  if (!isIPv6(bare)) return bare;
  const mapped = /^::ffff:([0-9.]+)$/i.exec(bare);
  if (mapped) return mapped[1] as string;
  const [head = '', tail] = new URL(`http://[${bare}]`).hostname.slice(1, -1).split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail ? tail.split(':') : [];
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  return [...left, ...Array.from({ length: zeros }, () => '0'), ...right].slice(0, 4).join(':');
}
