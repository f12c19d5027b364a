import { Button } from '@mantine/core';
import { Note } from '../../components/note.tsx';

interface ClaimEndProps {
  state: 'rejected' | 'expired';
  siteName: string | null;
  onDrop: () => void;
}

export function ClaimEnd({ state, siteName, onDrop }: ClaimEndProps) {
  return (
    <>
      {state === 'rejected' ? (
        <Note tone="bad" role="alert" title={`The claim${siteName ? ` for ${siteName}` : ''} was rejected.`}>
          An admin decided against it. Nothing was given to the box. Call your MSP, then scan the new code the box
          shows.
        </Note>
      ) : (
        <Note tone="warn" role="alert" title="This code has run out.">
          Nothing was given to the box. It shows a new code by itself: scan that one.
        </Note>
      )}
      <Button variant="default" onClick={onDrop}>
        Start over
      </Button>
    </>
  );
}
