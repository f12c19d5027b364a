import { askTool } from './ask-tool.ts';

/** A property list as JSON by the Mac's own plutil; undefined when it is none, or holds what JSON cannot. */
export async function plistAsJson(plist: string, signal: AbortSignal): Promise<unknown> {
  const options = { signal, input: plist, timeoutMs: 5000, maxBytes: 8 * 1024 * 1024 };
  const result = await askTool(['/usr/bin/plutil', '-convert', 'json', '-o', '-', '--', '-'], options);
  if (!result.ok) return undefined;
  try {
    return JSON.parse(result.stdout);
  } catch {
    return undefined;
  }
}
