import { codeUrl } from '@sitewarden/agent-proto/http';
import { appendAudit } from '../audit/index.ts';
import { relayErrors } from '../errors.ts';
import { MAX_LABELS } from '../lib/code-states.ts';
import type { Tenant } from '../lib/identity.ts';
import type { Tx } from '../store/index.ts';
import { boxToReplace } from '../store/repositories/appliances.ts';
import { revokeCode } from '../store/repositories/codes.ts';
import { partnerName } from '../store/repositories/staff.ts';
import type { ClaimDeps } from './deps.ts';
import { loadLabelFonts } from './label-fonts.ts';
import { type Label, labelSheet, type Paper } from './label-sheet.ts';
import { assertMayMake, type CodeDraft, draftCode, writeCode } from './make-code.ts';

/** As many as may be hashed at once; guesses of boxes take turns with them. */
const HASHED_AT_ONCE = 2;

export interface LabelsRequest {
  readonly labels: readonly { readonly siteId: string; readonly count: number }[];
  readonly ttlMinutes: number;
  readonly preApproved?: boolean;
  readonly paper: Paper;
}

/** A label without its secrets. */
interface Place {
  readonly siteId: string;
  readonly siteName: string;
  readonly clientName: string;
}

async function draftCodes(count: number): Promise<CodeDraft[]> {
  const drafts: CodeDraft[] = [];
  let left = count;
  const work = async () => {
    while (left > 0) {
      left -= 1;
      drafts.push(await draftCode());
    }
  };
  await Promise.all(Array.from({ length: HASHED_AT_ONCE }, work));
  return drafts;
}

/** One place a label, in the order asked. Throws NOT_FOUND, LABELS_SITE_HAS_BOX. */
async function placesOf(trx: Tx, { labels, preApproved }: LabelsRequest): Promise<Place[]> {
  const places: Place[] = [];
  for (const [index, { siteId, count }] of labels.entries()) {
    const field = `/labels/${index}/siteId`;
    const site = await trx
      .selectFrom('site')
      .innerJoin('client', 'client.id', 'site.client_id')
      .select(['site.name as siteName', 'client.name as clientName'])
      .where('site.id', '=', siteId)
      .executeTakeFirst();
    if (site === undefined) throw relayErrors.make('NOT_FOUND', { field, detail: 'There is no such site' });
    const box = preApproved ? await boxToReplace(trx, { siteId, fingerprint: null }) : null;
    if (box !== null) {
      throw relayErrors.make('LABELS_SITE_HAS_BOX', { field, detail: `${site.siteName} has the box ${box.serial}` });
    }
    for (let made = 0; made < count; made += 1) places.push({ siteId, ...site });
  }
  return places;
}

/** Codes on paper. */
export function createLabels({ store, live, publicUrl }: ClaimDeps) {
  /** A sheet nobody got is worth nothing, and so are its codes. */
  async function revokeAll(tenant: Tenant, drafts: readonly CodeDraft[], nowMs: number): Promise<void> {
    const { partnerId, actor, staffId } = tenant;
    await store.inTenant(partnerId, async (trx) => {
      for (const { id } of drafts) {
        await revokeCode(trx, id, nowMs);
        const detail = { reason: 'its label was not printed', staffId };
        await appendAudit(trx, { partnerId, atMs: nowMs, actor, action: 'code.revoked', ref: id, detail });
      }
    });
  }

  return {
    /**
     * Makes a code for each label, all or none, and prints them. Throws LABELS_TOO_MANY, CODE_NEEDS_ADMIN,
     * CODE_TTL_TOO_LONG, NOT_FOUND, LABELS_SITE_HAS_BOX, OVERLOADED. The secrets are in the PDF and nowhere else.
     */
    async print(tenant: Tenant, request: LabelsRequest, nowMs: number): Promise<{ fileName: string; pdf: Uint8Array }> {
      const { partnerId, actor, staffId } = tenant;
      const { ttlMinutes, preApproved = false, paper } = request;
      const terms = { preApproved, ttlMinutes, replaces: null };
      assertMayMake(tenant, terms);
      const count = request.labels.reduce((sum, label) => sum + label.count, 0);
      if (count > MAX_LABELS)
        throw relayErrors.make('LABELS_TOO_MANY', { field: '/labels', detail: `${count} labels` });
      // What would be refused anyway is refused before it costs seconds of hashing.
      await store.inTenant(partnerId, (trx) => placesOf(trx, request));
      const [drafts, fonts] = await Promise.all([draftCodes(count), loadLabelFonts()]);
      const labels = await store.inTenant(partnerId, async (trx) => {
        const partner = (await partnerName(trx, partnerId)) ?? '';
        const made: Label[] = [];
        for (const [index, { siteId, ...names }] of (await placesOf(trx, request)).entries()) {
          const draft = drafts[index] as CodeDraft;
          const { row, typed } = await writeCode(trx, draft, { tenant, siteId, terms, nowMs });
          const url = codeUrl(publicUrl(), draft.secret);
          made.push({ ...names, partnerName: partner, url, typed, expiresAtMs: row.expires_at_ms, preApproved });
        }
        await appendAudit(trx, {
          partnerId,
          atMs: nowMs,
          actor,
          action: 'labels.printed',
          ref: drafts[0]?.id ?? '',
          detail: { count, sites: request.labels.length, ttlMinutes, preApproved, paper, staffId },
        });
        return made;
      });
      try {
        const pdf = await labelSheet(labels, { paper, fonts, madeAtMs: nowMs });
        const stamp = new Date(nowMs).toISOString().slice(0, 16).replaceAll(/[-:]/g, '');
        return { fileName: `sitewarden-labels-${stamp}Z.pdf`, pdf };
      } catch (error) {
        await revokeAll(tenant, drafts, nowMs);
        throw error;
      } finally {
        live.publish(partnerId, { kind: 'claims', siteId: null, atMs: nowMs });
      }
    },
  };
}
