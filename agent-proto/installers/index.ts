export {
  type InstallerFile,
  type InstallerManifest,
  isManifestSigned,
  MANIFEST_FILE,
  MAX_INSTALLER_BYTES,
  MAX_MANIFEST_BYTES,
  PIECE_BYTES,
  parseManifest,
  SIGNATURE_FILE,
} from './manifest.ts';
export { compareVersions } from './version.ts';
