import type { StaffClient } from '../lib/staff-client.ts';
import { waitFor } from '../lib/wait.ts';

interface AgentView {
  id: string;
  hostname: string;
  checks: { check: string; subject: string; status: string; actual: string }[];
}
interface ActionRunView {
  id: string;
  state: string;
  outcome: string;
  evidenceSeq: number | null;
  cosigned: boolean;
}
interface IncidentView {
  id: string;
  title: string;
  subject: string;
  state: string;
  reason: string;
  nextStep: string;
  cosigned: boolean;
  actions: ActionRunView[];
}

/** Waits for the relay, not for the programs: only what staff can see counts. */
export function watchSite(staff: StaffClient, siteId: string) {
  const get = <T>(path: string) => staff.call<T>('GET', `/api/sites/${siteId}${path}`);
  return {
    /** A check-in of an earlier run says nothing about the box that runs now. */
    checkedIn: (afterMs: number) =>
      waitFor(
        'a check-in',
        async () => {
          const { appliance } = await get<{ appliance: { lastCheckinAtMs: number | null } | null }>('');
          const atMs = appliance?.lastCheckinAtMs ?? 0;
          return atMs > afterMs ? atMs : undefined;
        },
        60_000,
        100,
      ),

    checks: (minimum: number) =>
      waitFor(
        `${minimum} checks of this host`,
        async () => {
          const { agents } = await get<{ agents: AgentView[] }>('/agents');
          const agent = agents.find(({ checks }) => new Set(checks.map(({ check }) => check)).size >= minimum);
          return agent;
        },
        90_000,
        250,
      ),

    serviceStatus: (service: string, status: string) =>
      waitFor(
        `the service check of ${service} to be ${status}`,
        async () => {
          const { agents } = await get<{ agents: AgentView[] }>('/agents');
          return agents
            .flatMap(({ checks }) => checks)
            .find((check) => check.subject === service && check.status === status);
        },
        90_000,
        250,
      ),

    incident: (service: string) =>
      waitFor(
        `an incident about ${service}`,
        async () => findIncident(await get('/incidents?state=all'), service),
        60_000,
        250,
      ),

    /** Without `run`: an earlier repair on this host holds it back, and the incident says for how long. */
    repaired: (service: string) =>
      waitFor(
        `the repair of ${service} to be verified and cosigned`,
        async () => {
          const incident = findIncident(await get('/incidents?state=all'), service);
          const run = incident?.actions.find(({ state }) => state === 'verified');
          if (incident === undefined) return undefined;
          if (incident.state === 'resolved') return run?.cosigned ? { incident, run } : undefined;
          const isHeld = incident.state === 'open' && incident.nextStep.includes('not before');
          return isHeld || incident.state === 'needs_person' ? { incident, run: undefined } : undefined;
        },
        90_000,
        250,
      ),
  };
}

function findIncident({ incidents }: { incidents: IncidentView[] }, service: string): IncidentView | undefined {
  return incidents.find(({ subject }) => subject === service);
}
