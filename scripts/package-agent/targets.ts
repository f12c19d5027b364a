import data from './targets.json' with { type: 'json' };

export type TargetName = keyof typeof data.targets;

export interface Target {
  readonly name: TargetName;
  /** npm package and version whose Node the agent lives in. */
  readonly nodePackage: string;
  readonly nodeVersion: string;
  /** Name of better-sqlite3's prebuilt addon. */
  readonly addon: string;
  readonly file: string;
}

export const TARGET_NAMES = Object.keys(data.targets) as TargetName[];

export function targetOf(name: TargetName): Target {
  const { node, addon, file } = data.targets[name];
  return { name, nodePackage: node, nodeVersion: versionOf(node), addon, file };
}

/** SHA-512 of the package's tarball, as the registry's `dist.integrity` writes it. Throws for what is not pinned. */
export function integrityOf(nodePackage: string): string {
  const pinned = (data.packages as Record<string, string>)[nodePackage];
  if (pinned === undefined) throw new Error(`${nodePackage} is not pinned in scripts/package-agent/targets.json`);
  return pinned;
}

/** The Node that writes a blob must be of the target's version: the format changes between versions. */
export function builderPackage({ nodeVersion }: Target): string {
  return `node-${process.platform}-${process.arch}@${nodeVersion}`;
}

const versionOf = (nodePackage: string): string => nodePackage.slice(nodePackage.lastIndexOf('@') + 1);
