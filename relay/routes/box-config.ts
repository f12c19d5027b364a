import { issueSiteConfig } from '../keys/index.ts';
import { defineHandlers, type Services } from './context.ts';

export function boxConfigHandlers({ keys }: Services) {
  return defineHandlers({
    boxConfig: async ({ box, inTenant, nowMs }) => {
      const issued = await inTenant((trx) => issueSiteConfig(trx, keys, { applianceId: box.applianceId, nowMs }));
      return { config: issued.envelope, relayKeys: keys.publishedText };
    },
  });
}
