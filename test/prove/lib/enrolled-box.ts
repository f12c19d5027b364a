import { type AgentIdentity, enroll } from '../../helpers/agent-client.ts';
import { startAppliance } from '../../helpers/appliance.ts';

/** Makes the data folder of a box with one agent, and stops the box again. */
export async function makeEnrolledBox(dataDir: string): Promise<AgentIdentity> {
  const box = await startAppliance({ dataDir });
  try {
    return await enroll(await box.makeToken());
  } finally {
    await box.stop();
  }
}
