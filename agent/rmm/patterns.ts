/** One test for several names in which `*` stands for any run of characters. Case does not count. */
export function compilePatterns(patterns: readonly string[] = []): (name: string) => boolean {
  if (patterns.length === 0) return () => false;
  const one = patterns.map((pattern) => pattern.split('*').map(literal).join('.*')).join('|');
  const whole = new RegExp(`^(?:${one})$`, 'is');
  return (name) => name !== '' && whole.test(name);
}

const literal = (text: string): string => text.replace(/[\\^$.|?+()[\]{}/]/g, '\\$&');
