import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from 'react-router';
import { isApiError } from '../../api/api-error.ts';
import { receiptQuery } from '../../api/queries/custody.ts';
import type { ReceiptAnswer } from '../../api/types.ts';
import { formatCount, formatExact } from '../../clock/format.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { FactGrid, type FactRow } from '../../components/fact-grid.tsx';
import { Loaded } from '../../components/loaded.tsx';
import { RowsSkeleton } from '../../components/skeletons.tsx';
import { usePageTitle } from '../../layout/use-page-title.ts';
import { saveFile } from '../../lib/save-file.ts';
import { RECEIPTS } from '../../words/custody.ts';
import css from './receipt.module.css';

/** What was given up or taken over, by whom, and where does the log end? Made to be printed. */
export function ReceiptPage() {
  const { receiptId = '' } = useParams();
  const receipt = useQuery(receiptQuery(receiptId));
  usePageTitle('Receipt');
  return (
    <main className={css.page}>
      {isApiError(receipt.error) && receipt.error.status === 404 ? (
        <EmptyState icon="question" title="There is no such receipt" action={<Link to="/">Go to the sites</Link>}>
          Receipts are listed on the page of their site.
        </EmptyState>
      ) : (
        <Loaded query={receipt} what="The receipt" skeleton={<RowsSkeleton rows={6} height={48} />}>
          {(answer) => <Paper answer={answer} />}
        </Loaded>
      )}
    </main>
  );
}

function Paper({ answer: { receipt, bundle } }: { answer: ReceiptAnswer }) {
  const { box, log, next, counterpart, previous } = receipt;
  const words = RECEIPTS[receipt.kind];
  const rows: FactRow[] = [
    { name: 'Site', value: `${receipt.siteName} (${receipt.partnerName})` },
    { name: 'Box', value: `${box.serial}, ${box.model}` },
    { name: 'When', value: formatExact(receipt.atMs) },
    { name: 'By', value: receipt.by },
    { name: 'Reason', value: receipt.reason },
    ...(counterpart
      ? [{ name: receipt.kind === 'received' ? 'Came from' : 'Goes to', value: counterpart.siteName }]
      : []),
  ];
  const proof: FactRow[] = [
    { name: 'Appliance', value: <code>{box.applianceId}</code> },
    { name: 'Log', value: <code>{log.origin}</code> },
    // A log that begins has no end yet, and a box that comes said nothing about one.
    ...(receipt.kind === 'received'
      ? []
      : [
          {
            name: 'Ends at',
            value: log.size === 0 ? 'nothing was cosigned' : `${formatCount(log.size)} entries, cosigned by the relay`,
          },
          { name: 'Root hash', value: <code>{log.rootHash || 'none'}</code> },
          { name: "The box's own word", value: receipt.released === null ? 'none' : 'signed by its device key' },
        ]),
    { name: 'Device key', value: <code>{box.dik}</code> },
    { name: 'Evidence key', value: <code>{box.evk}</code> },
    ...(next
      ? [
          { name: 'Goes on in epoch', value: next.epoch },
          { name: 'New device key', value: <code>{next.dik}</code> },
        ]
      : []),
    ...(previous
      ? [
          { name: 'Log before', value: <code>{previous.origin ?? ''}</code> },
          { name: 'It ended at', value: `${formatCount(previous.size)} entries` },
          { name: 'Its root hash', value: <code>{previous.rootHash}</code> },
        ]
      : []),
    { name: 'Receipt', value: <code>{receipt.receiptId}</code> },
  ];
  const save = () =>
    saveFile(
      `sitewarden-receipt-${receipt.receiptId}.json`,
      'application/json',
      `${JSON.stringify(bundle, null, 2)}\n`,
    );
  return (
    <article className={css.paper}>
      <header className={css.head}>
        <div>
          <p className={`small ${css.screen}`}>
            <Link to={`/sites/${receipt.siteId}/custody`}>{receipt.siteName}</Link>
          </p>
          <h1>Receipt: box {words.title.toLowerCase()}</h1>
        </div>
        <div className={`${css.actions} ${css.screen}`}>
          <Button size="xs" onClick={() => window.print()}>
            Print
          </Button>
          <Button size="xs" variant="default" onClick={save}>
            Save as JSON
          </Button>
        </div>
      </header>
      <p>{words.says}</p>
      <FactGrid rows={rows} />
      <h2>Proof</h2>
      <FactGrid rows={proof} />
      <p className="small dim">
        Anybody can check the saved file without a network, under the root key of the relay:{' '}
        <code>sitewarden-relay verify-receipt FILE --root KEY</code>
      </p>
      <div className={css.signatures}>
        <p>Given by</p>
        <p>Taken by</p>
      </div>
    </article>
  );
}
