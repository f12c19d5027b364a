export { combineManagers } from './combine.ts';
export { parseDeclaration, type ServiceDeclaration } from './declaration.ts';
export { type DetectOptions, detectServiceManager } from './detect.ts';
export { createLaunchdManager, type LaunchdOptions, parseLaunchctlPrint } from './launchd.ts';
export { createPidfileManager } from './pidfile.ts';
export { processIdentity } from './process-identity.ts';
export { createSystemdManager, parseSystemdShow } from './systemd.ts';
export { createSysvManager } from './sysv.ts';
export {
  assertServiceName,
  type ServiceCall,
  type ServiceManager,
  type ServiceManagerKind,
  type ServiceState,
  type ServiceStatus,
} from './types.ts';
export { createWindowsServices, parseScQuery, type WindowsServicesOptions } from './windows.ts';
