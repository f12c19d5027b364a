// Makes or reads the keys of the data folder named in argv, and says which device key it has.
import { identityFolder, loadIdentity, openVault } from '../../../../appliance/identity/index.ts';

const [dataDir = '', tcti] = process.argv.slice(2);
if (dataDir === '') throw new Error('usage: make-keys.ts <data folder> [tcti]');
const vault = await openVault({
  dir: identityFolder(dataDir),
  mode: tcti === undefined ? 'off' : 'auto',
  tcti,
  onPlain: () => {},
});
const identity = await loadIdentity({ dataDir, publicHosts: [], vault });
await identity.serverTls(Date.now());
console.log(
  JSON.stringify([identity.dik.publicKey, identity.evk.publicKey, identity.seal.publicKey, identity.siteCa.sha256]),
);
