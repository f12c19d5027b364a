import { BOX_PATHS, type CustodyReceipt, type ReleasePayload } from '@sitewarden/agent-proto/http';
import { ownPayload } from '../../relay/keys/index.ts';
import type { Start } from './both-relays.ts';
import type { TestBox } from './box.ts';
import { type LeavingBox, leavingBox } from './leave.ts';
import { seedPartner, seedSite } from './relay.ts';

export interface CustodyAnswer {
  release: { id: string; state: string; to: { siteId: string; siteName: string } | null } | null;
  arriving: { serial: string; fromSiteName: string | null; dikFingerprint: string }[];
  receipts: CustodyReceipt[];
  code?: string;
}

/** Two sites of a company, and a box at the first that can be told to move to the second. */
export async function transferWorld(start: Start) {
  const relay = await start();
  const partnerId = await seedPartner(relay.store, 'North MSP');
  const { siteId } = await seedSite(relay.store, partnerId);
  const { siteId: toSiteId } = await seedSite(relay.store, partnerId, 'Hill road');
  const admin = await relay.staff(partnerId, 'admin', 'Ada Moreno');
  const { box, applianceId } = await relay.claim(admin, siteId);
  const { host } = relay.services.keys;
  const transfer = (over: object = {}, who = admin) =>
    who.call<CustodyAnswer>('transferBox', {
      params: { siteId },
      body: { applianceId, reason: 'the clinic moves', toSiteId, ...over },
    });
  const custody = async (at = siteId) => (await admin.call<CustodyAnswer>('custody', { params: { siteId: at } })).body;
  const leaving = leavingBox(box, { host, applianceId });
  const leave = () => leaveWith(box, leaving);
  /** A box that has left `from` and is on its way to `to`. */
  async function transferTo(from: string, to: string): Promise<TestBox> {
    const one = await relay.claim(admin, from);
    const body = { applianceId: one.applianceId, reason: 'the clinic moves', toSiteId: to };
    const ordered = await admin.call<CustodyAnswer>('transferBox', { params: { siteId: from }, body });
    if (ordered.status !== 200) throw new Error(JSON.stringify(ordered.body));
    await leaveWith(one.box, leavingBox(one.box, { host, applianceId: one.applianceId }));
    return one.box;
  }
  return {
    relay,
    partnerId,
    siteId,
    toSiteId,
    admin,
    box,
    applianceId,
    host,
    transfer,
    custody,
    leaving,
    leave,
    transferTo,
  };
}

/** The box does what it is told, up to the point where it is nobody's. */
async function leaveWith(box: TestBox, leaving: LeavingBox): Promise<ReleasePayload> {
  const { body } = await box.send<{ release: string }>(BOX_PATHS.release);
  const release = ownPayload<ReleasePayload>(body.release);
  leaving.log.append(1, { kind: 'released' });
  await leaving.deliver();
  const word = await leaving.word(release.releaseId);
  if (word.status !== 200) throw new Error(JSON.stringify(word.body));
  return release;
}
