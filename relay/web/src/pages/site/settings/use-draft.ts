import { useState } from 'react';
import type { SiteDetail, SitePatch } from '../../../api/types.ts';

type Settings = Pick<SiteDetail, 'agentTier' | 'requiredServices'>;

const sameList = (a: readonly string[], b: readonly string[]) =>
  a.length === b.length && a.every((each, at) => each === b[at]);

/** What was edited over what the relay has; live changes of untouched settings show through. */
export function useDraft(detail: Settings) {
  const [edits, setEdits] = useState<Partial<Settings>>({});
  const draft: Settings = {
    agentTier: edits.agentTier ?? detail.agentTier,
    requiredServices: edits.requiredServices ?? detail.requiredServices,
  };
  const patch: SitePatch = {};
  if (draft.agentTier !== detail.agentTier) patch.agentTier = draft.agentTier;
  if (!sameList(draft.requiredServices, detail.requiredServices)) patch.requiredServices = draft.requiredServices;
  return {
    draft,
    change: Object.keys(patch).length > 0 ? patch : null,
    edit: (next: Partial<Settings>) => setEdits((now) => ({ ...now, ...next })),
    reset: () => setEdits({}),
  };
}
