import { describeConfig } from '@sitewarden/kit/config';
import { AGENT_CONFIG_SCHEMA } from '../../agent/config/index.ts';
import { ApplianceConfigSchema } from '../../appliance/config/index.ts';
import { RelayConfigSchema } from '../../relay/config/index.ts';
import { code, page, table } from './markdown.ts';

const section = (title: string, file: string, schema: object): string =>
  `## ${title}\n\nFile: ${code(file)}\n\n${table(
    ['key', 'type', 'default', 'meaning'],
    describeConfig(schema).map((row) => [
      code(row.key),
      row.type,
      row.isRequired ? 'required' : row.default && code(row.default),
      row.text,
    ]),
  )}`;

export const configurationPage = (): string =>
  page(
    'Configuration',
    'YAML files; unknown keys are refused with the nearest known one, and every fault is named at once (`config check`).',
    section('Appliance', '/etc/sitewarden/appliance.yaml', ApplianceConfigSchema),
    section('Relay', '/etc/sitewarden/relay.yaml', RelayConfigSchema),
    section('Agent', '/etc/sitewarden/agent.yaml', AGENT_CONFIG_SCHEMA),
  );
