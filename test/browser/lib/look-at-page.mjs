/**
 * Runs inside a page, so it is plain JavaScript and uses nothing outside itself. Answers what a person could not read or
 * reach: text below the contrast of WCAG 2.2 AA, parts beyond the right edge, controls without a name or too small.
 */
export function lookAtPage() {
  const { document } = globalThis;
  const faults = new Set();

  const parse = (color) => {
    const [r, g, b, a = 1] = color.match(/[\d.]+/g).map(Number);
    const scale = color.startsWith('color(') ? 255 : 1;
    return [r * scale, g * scale, b * scale, a];
  };
  const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);
  const backgroundOf = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) layers.push(parse(getComputedStyle(at).backgroundColor));
    return layers.reduceRight((under, top) => over(top, under), [255, 255, 255, 1]);
  };
  const linear = (v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const isShown = (element) => {
    const box = element.getBoundingClientRect();
    const isVisible = element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
    return box.width > 1 && box.height > 1 && isVisible;
  };
  const named = (element) => `${element.tagName.toLowerCase()} "${element.textContent.trim().slice(0, 40)}"`;

  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.textContent.trim() || !isShown(element)) continue;
    // Controls that cannot be used are exempt, as WCAG has it.
    if (element.closest(':disabled, [data-disabled]')) continue;
    const { color, fontSize, fontWeight } = getComputedStyle(element);
    const background = backgroundOf(element);
    const [light, dark] = [luminance(over(parse(color), background)), luminance(background)].sort((a, b) => b - a);
    const ratio = (light + 0.05) / (dark + 0.05);
    const size = Number.parseFloat(fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(fontWeight) >= 700);
    if (ratio < (isLarge ? 3 : 4.5)) faults.add(`contrast ${ratio.toFixed(2)}: ${named(element)}`);
  }

  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width) {
    for (const element of document.querySelectorAll('body *')) {
      if (element.getBoundingClientRect().right > width + 1) faults.add(`beyond the edge: ${named(element)}`);
    }
  }

  for (const control of document.querySelectorAll('a[href], button, input, select, textarea')) {
    if (!isShown(control) || control.closest('[aria-hidden="true"]')) continue;
    const label = control.labels?.[0]?.textContent ?? '';
    const name = control.getAttribute('aria-label') || control.textContent || label;
    if (!name.trim()) faults.add(`no name: ${control.outerHTML.slice(0, 80)}`);
    const { height, width: across } = control.getBoundingClientRect();
    // Times inside a sentence are exempt, as WCAG has it.
    const isInText =
      getComputedStyle(control).display.startsWith('inline') && control.closest('p, li, dd, td, caption');
    const isSmall = control.matches('button') && !isInText && Math.min(height, across) < 20;
    if (isSmall) faults.add(`too small: ${named(control)} ${Math.round(across)}x${Math.round(height)}`);
  }
  return [...faults];
}
