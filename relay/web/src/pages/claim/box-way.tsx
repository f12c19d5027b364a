import type { ClaimSession } from '../../api/types.ts';
import { Disclosure } from '../../components/disclosure.tsx';
import { Tag } from '../../components/tag.tsx';
import { TimeAgo } from '../../components/time-ago.tsx';
import type { Sign } from '../../words/tone.ts';
import css from './claim.module.css';

type Finding = NonNullable<ClaimSession['doctor']>['findings'][number];

const NAMES: Readonly<Record<Finding['name'], string>> = {
  link: 'Cable',
  address: 'Address in its network',
  dns: 'Name of the relay (DNS)',
  tcp: 'Port of the relay (TCP)',
  tls: 'Proof of who it is (TLS)',
  http: 'Answer of the relay (HTTP)',
  clock: 'Clock',
  disk: 'Disk',
};

const SIGNS: Readonly<Record<Finding['state'], Sign>> = {
  ok: { tone: 'ok', icon: 'check', word: 'Fine' },
  failed: { tone: 'bad', icon: 'octagon', word: 'Failed' },
  skipped: { tone: 'unknown', icon: 'question', word: 'Skipped' },
};

/** What the box itself found on its way to the relay, worst first to the eye: open where something is wrong. */
export function BoxWay({ doctor }: { doctor: ClaimSession['doctor'] }) {
  if (doctor === null) return null;
  const failed = doctor.findings.filter(({ state }) => state === 'failed');
  const summary =
    failed.length === 0
      ? `All ${doctor.findings.length} checks of the box are fine`
      : `The box says: ${failed.map(({ name }) => NAMES[name]).join(', ')} failed`;
  return (
    <Disclosure key={failed.length === 0 ? 'fine' : 'failed'} summary={summary} startsOpen={failed.length > 0}>
      <ul className={css.way}>
        {doctor.findings.map(({ name, state, text }) => (
          <li key={name}>
            <span className={css.wayName}>{NAMES[name]}</span>
            <Tag sign={SIGNS[state]} />
            <p className="dim small">{text}</p>
          </li>
        ))}
      </ul>
      <p className="dim small">
        The box looked <TimeAgo atMs={doctor.atMs} />, and looks again each minute until it is claimed.
      </p>
    </Disclosure>
  );
}
