import { Button } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { fetchProof } from '../../../api/queries/site.ts';
import { ErrorNote } from '../../../components/error-note.tsx';
import { Icon } from '../../../icons/icon.tsx';
import { saveFile } from '../../../lib/save-file.ts';

/** Saves all that a stranger needs to verify one entry without us. */
export function ProofButton({ siteId, seq, log = null }: { siteId: string; seq: number; log?: string | null }) {
  const save = useMutation({
    mutationFn: () => fetchProof(siteId, seq, log),
    onSuccess: (proof) =>
      saveFile(`proof-${siteId}-${seq}.json`, 'application/json', `${JSON.stringify(proof, null, 2)}\n`),
  });
  return (
    <>
      <Button
        size="compact-xs"
        variant="default"
        leftSection={<Icon name="down" size={13} />}
        loading={save.isPending}
        onClick={() => save.mutate()}
        aria-label={`Download the proof of entry ${seq}`}
      >
        Proof
      </Button>
      {save.isError && <ErrorNote what="The proof was not saved" error={save.error} onRetry={() => save.mutate()} />}
    </>
  );
}
