import { networkInterfaces } from 'node:os';
import t from 'tap';
import { createDiscovery } from '../../../appliance/discovery/index.ts';
import { applianceContext } from '../../helpers/appliance-context.ts';

t.test('it says what it looks at: nothing on an interface that is not there', async (t) => {
  const none = createDiscovery(applianceContext(t, 'discovery: { interfaces: [no-such-if] }'));
  t.strictSame(none.snapshot(), { isEnabled: true, interfaces: ['no-such-if'], networks: [] });
  const all = createDiscovery(applianceContext(t, 'discovery: { enabled: false }')).snapshot();
  t.match(all, { isEnabled: false, interfaces: undefined });
  t.ok(all.networks.length <= Object.values(networkInterfaces()).flat().length);
});
