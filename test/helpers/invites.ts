import type { Role } from '../../relay/lib/roles.ts';
import type { Answer } from './box.ts';
import type { TestRelay } from './relay.ts';
import { StaffClient } from './staff-client.ts';

export const PASSWORD = 'correct horse battery';

export interface Wish {
  email: string;
  name: string;
  role: Role;
  siteIds?: string[];
}

/** Invites somebody; the token of the link. */
export async function invite(admin: StaffClient, wish: Wish): Promise<{ token: string; id: string }> {
  const answer = await admin.call<{ invite: { id: string }; url: string }>('createInvite', { body: wish });
  if (answer.status !== 201) throw new Error(`the invite answered ${answer.status} ${JSON.stringify(answer.body)}`);
  return { token: answer.body.url.split('#')[1] ?? '', id: answer.body.invite.id };
}

/** Somebody who was invited and accepted, with PASSWORD. */
export async function join(
  relay: TestRelay,
  admin: StaffClient,
  wish: Wish,
): Promise<{ client: StaffClient; id: string }> {
  const { token } = await invite(admin, wish);
  const client = new StaffClient(relay.url);
  const answer = await client.call<{ staffId: string }>('acceptInvite', { body: { token, password: PASSWORD } });
  if (answer.status !== 200) throw new Error(`accepting answered ${answer.status} ${JSON.stringify(answer.body)}`);
  return { client, id: answer.body.staffId };
}

export async function signIn(
  relay: TestRelay,
  email: string,
  password = PASSWORD,
): Promise<{
  client: StaffClient;
  answer: Answer<{ code?: string; staffId?: string; data?: { retryAfterS: number } }>;
}> {
  const client = new StaffClient(relay.url);
  return { client, answer: await client.call('signInWithPassword', { body: { email, password } }) };
}
