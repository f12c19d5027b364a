export { type Command, installCommand, isTargetName, TARGETS, type TargetName } from './commands.ts';
export { createInstallers, type Installer, type InstallerSet, type Installers } from './installers.ts';
