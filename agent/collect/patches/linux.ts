import { access, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Facts } from '@sitewarden/agent-proto/agent';
import { wholeDays } from '../age.ts';
import { askTool } from '../ask-tool.ts';
import { toolProblem } from '../tool-problem.ts';
import type { CollectContext, Observation } from '../types.ts';
import { isSecurityRelease, type PendingUpdates, parseAptSimulation } from './apt.ts';
import { parseDnfAdvisories, parseDnfUpdates, pendingOf } from './dnf.ts';

const APT_LISTS = '/var/lib/apt/lists';
const APT_STAMP = '/var/lib/apt/periodic/update-success-stamp';
const DNF_CACHES = ['/var/cache/dnf', '/var/cache/libdnf5'];
const REBOOT_FLAGS = ['/run/reboot-required', '/var/run/reboot-required'];
const MAX_SAMPLE = 16;
/** Both managers solve the whole dependency graph; on an old laptop that takes seconds. */
const SOLVE_TIMEOUT_MS = 14_000;

export async function collectPatches(context: CollectContext): Promise<Observation[]> {
  const facts = await managerFacts(context);
  const flags = await Promise.all(REBOOT_FLAGS.map(exists));
  return [{ subject: '', facts: { reboot_required: flags.includes(true), ...facts } }];
}

async function managerFacts(context: CollectContext): Promise<Facts> {
  if (await exists('/usr/bin/apt-get')) return aptFacts(context);
  if (await exists('/usr/bin/dnf')) return dnfFacts(context);
  return {
    probe_error: 'The agent reads apt and dnf, and this machine has neither. Look at its package manager by hand.',
  };
}

/** dist-upgrade and not upgrade: a new kernel is a new package, which upgrade holds back without a word. */
async function aptFacts({ nowMs, signal }: CollectContext): Promise<Facts> {
  const argv = ['apt-get', '--simulate', '-o', 'Debug::NoLocking=true', '-q', 'dist-upgrade'] as const;
  const result = await askTool([...argv], { signal, timeoutMs: SOLVE_TIMEOUT_MS, maxBytes: 4 * 1024 * 1024 });
  const facts: Facts = { manager: 'apt' };
  if (!result.ok) return { ...facts, probe_error: toolProblem('apt-get', 'apt', result) };
  Object.assign(facts, pendingFacts(parseAptSimulation(result.stdout)));
  const releases = (await readdir(APT_LISTS).catch(() => [])).filter(isSecurityRelease);
  if (releases.length === 0) {
    return { ...facts, probe_error: 'No security archive is in the package lists. Add one and run apt-get update.' };
  }
  // apt stamps a list with the time its archive was published, which is never later than the fetch: the age shown here
  // is the true one or a little more. Every security archive must be fresh; the stamp covers them all at once.
  const stampMs = await changedMs(APT_STAMP);
  const releaseTimes = await Promise.all(releases.map((name) => changedMs(join(APT_LISTS, name))));
  const oldestMs = Math.min(...releaseTimes.map((time) => time ?? 0));
  const ageDays = wholeDays(nowMs - Math.max(stampMs ?? 0, oldestMs));
  return ageDays === undefined ? facts : { ...facts, index_age_days: ageDays };
}

/** `-C`: only what is in the cache; the agent opens no connection of its own to a mirror. */
async function dnfFacts({ nowMs, signal }: CollectContext): Promise<Facts> {
  const options = { signal, timeoutMs: SOLVE_TIMEOUT_MS, maxBytes: 4 * 1024 * 1024 };
  const advisories = await askTool(['dnf', '-q', '-C', 'updateinfo', 'list', '--security'], options);
  if (!advisories.ok) return { manager: 'dnf', probe_error: toolProblem('dnf', 'dnf', advisories) };
  const updates = await askTool(['dnf', '-q', '-C', 'check-update'], options);
  // 100 is dnf's way to say that there are updates.
  if (!updates.ok && updates.exitCode !== 100) {
    return { manager: 'dnf', probe_error: toolProblem('dnf', 'dnf', updates) };
  }
  const pending = pendingOf(parseDnfAdvisories(advisories.stdout), parseDnfUpdates(updates.stdout));
  const facts: Facts = { manager: 'dnf', ...pendingFacts(pending) };
  const newestMs = Math.max(0, ...(await dnfIndexTimes()));
  const ageDays = newestMs === 0 ? undefined : wholeDays(nowMs - newestMs);
  return ageDays === undefined ? facts : { ...facts, index_age_days: ageDays };
}

async function dnfIndexTimes(): Promise<number[]> {
  const times: (number | undefined)[] = [];
  for (const cache of DNF_CACHES) {
    for (const repository of await readdir(cache).catch(() => [])) {
      times.push(await changedMs(join(cache, repository, 'repodata', 'repomd.xml')));
    }
  }
  return times.filter((time) => time !== undefined);
}

function pendingFacts({ security, total, names }: PendingUpdates): Facts {
  return { pending_security: security, pending_total: total, sample: names.slice(0, MAX_SAMPLE) };
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function changedMs(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  );
}
