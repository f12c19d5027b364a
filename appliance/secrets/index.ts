/** Secrets of the site: kept sealed as they came, opened for the moment of their use only. */
import { createSecrets, type SecretName, type Secrets } from './secrets.ts';

export { createSecrets, type SecretName, type Secrets };
