import { openLocalApi } from './local-api.ts';

interface Status {
  readonly headline?: { readonly text?: string };
}

/** Prints what the local page says. */
export async function showStatus({ config, json = false }: { config: string; json?: boolean }): Promise<void> {
  const api = await openLocalApi(config);
  const status = await api.call<Status>('GET', '/api/local/status');
  if (!json && status.headline?.text !== undefined) console.log(status.headline.text);
  console.log(JSON.stringify(status, null, 2));
}
