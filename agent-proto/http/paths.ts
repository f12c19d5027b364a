/** Paths of the box-facing API. All but `relayKeys` carry a signature by `dik`. */
export const BOX_PATHS = {
  relayKeys: '/api/relay/keys',
  provisionStart: '/api/provision/start',
  provisionClaim: '/api/provision/claim',
  provisionStatus: '/api/provision/status',
  provisionAck: '/api/provision/ack',
  provisionDoctor: '/api/provision/doctor',
  checkin: '/api/appliances/checkin',
  outbox: '/api/appliances/outbox',
  checkpoint: '/api/appliances/checkpoint',
  orders: '/api/appliances/orders',
  config: '/api/appliances/config',
  release: '/api/appliances/release',
  released: '/api/appliances/released',
  keys: '/api/appliances/keys',
} as const;

/** DSSE payload types, one per purpose, so that a signature for one can never serve as another. */
export const PAYLOAD_TYPES = {
  evidence: 'application/vnd.in-toto+json',
  siteConfig: 'application/vnd.sitewarden.site-config.v1+json',
  relayKeys: 'application/vnd.sitewarden.relay-keys.v1+json',
  order: 'application/vnd.sitewarden.order.v1+json',
  receipt: 'application/vnd.sitewarden.receipt.v1+json',
  time: 'application/vnd.sitewarden.time.v1+json',
  release: 'application/vnd.sitewarden.release.v1+json',
  released: 'application/vnd.sitewarden.released.v1+json',
  custody: 'application/vnd.sitewarden.custody.v1+json',
  keyTransition: 'application/vnd.sitewarden.key-transition.v1+json',
} as const;
