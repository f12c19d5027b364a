import { Button } from '@mantine/core';
import { type MouseEvent, type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { Note } from '../../../components/note.tsx';
import { Icon } from '../../../icons/icon.tsx';
import css from './repairs.module.css';

/** Before an undo. */
export const UNDO_TEXT =
  'It puts back what was there before. It is refused if somebody changed the same since; a rule that is not content with it does the repair again.';

type Asked = 'do' | 'undo';

interface RepairStepsProps {
  /** "Start service front-desk on ws-1" */
  title: string;
  /** What it changes. */
  changes: string;
  /** Why none of it is offered now. */
  block: ReactNode;
  /** The same for undo alone. */
  undoBlock?: ReactNode;
  /** The check passes already: doing it again is not what the page asks for. */
  isMended?: boolean;
  /** An order is on its way. */
  isBusy: boolean;
  /** Something is typed wrong; what was done before can still be undone. */
  isUnfit: boolean;
  /** Absent: there is no way back for this action, or no undo in this place. */
  onUndo?: (() => void) | undefined;
  /** There is something to put back. */
  canUndo?: boolean;
  onTryDry: () => void;
  onDo: () => void;
}

/** Try dry, do it after a yes, undo after a yes: in this order, each with what it means. */
export function RepairSteps(props: RepairStepsProps) {
  const {
    title,
    changes,
    block,
    undoBlock,
    isMended = false,
    isBusy,
    isUnfit,
    onUndo,
    canUndo = false,
    onTryDry,
    onDo,
  } = props;
  const [asked, setAsked] = useState<Asked | null>(null);
  const because = useId();
  const opener = useRef<HTMLButtonElement | null>(null);
  const isOff = isBusy || isUnfit || block !== undefined;
  const close = () => {
    setAsked(null);
    // Back to where the question came from, so that a keyboard goes on from there.
    opener.current?.focus();
  };
  const ask = (what: Asked) => (event: MouseEvent<HTMLButtonElement>) => {
    opener.current = event.currentTarget;
    setAsked(what);
  };
  const described = block === undefined ? {} : { 'aria-describedby': because };
  return (
    <div className={css.way}>
      <ol className={css.steps} aria-label={title}>
        <li>
          <Button size="xs" variant="default" disabled={isOff} onClick={onTryDry} {...described}>
            1. Try dry
          </Button>
          <span className="dim small">Says what would be done</span>
        </li>
        <li>
          <Button
            size="xs"
            variant={isMended ? 'default' : 'filled'}
            leftSection={<Icon name="wrench" size={13} />}
            disabled={isOff}
            aria-expanded={asked === 'do'}
            onClick={ask('do')}
            {...described}
          >
            2. Do it
          </Button>
          <span className="dim small">Asks first, then changes</span>
        </li>
        {onUndo && (
          <li>
            <Button
              size="xs"
              variant="default"
              disabled={!canUndo || isBusy || undoBlock !== undefined}
              aria-expanded={asked === 'undo'}
              onClick={ask('undo')}
            >
              3. Undo
            </Button>
            <span className="dim small">{canUndo ? 'Puts it back' : 'Once it is done'}</span>
          </li>
        )}
      </ol>
      {block !== undefined && (
        <p id={because} className={`small ${css.because}`}>
          <Icon name="ban" size={13} /> <span>{block}</span>
        </p>
      )}
      {canUndo && block === undefined && undoBlock !== undefined && <p className="small">{undoBlock}</p>}
      {asked === 'do' && (
        <Confirm question={`${title}?`} text={changes} yes="Yes, do it" isOff={isOff} onYes={onDo} onClose={close} />
      )}
      {asked === 'undo' && onUndo && (
        <Confirm
          question={`Undo: ${title}?`}
          text={UNDO_TEXT}
          yes="Yes, undo it"
          isOff={!canUndo || isBusy}
          onYes={onUndo}
          onClose={close}
        />
      )}
    </div>
  );
}

interface ConfirmProps {
  question: string;
  text: ReactNode;
  yes: string;
  isOff: boolean;
  onYes: () => void;
  onClose: () => void;
}

/** The question before a change. Enter does no harm: Cancel has the focus, and Esc cancels. */
export function Confirm({ question, text, yes, isOff, onYes, onClose }: ConfirmProps) {
  const cancel = useRef<HTMLButtonElement>(null);
  useEffect(() => cancel.current?.focus(), []);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Esc closes what the buttons inside it answer
    <div
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        event.stopPropagation();
        onClose();
      }}
    >
      <Note tone="warn" role="alert" title={question}>
        <p>{text}</p>
        <div className={css.answers}>
          <Button
            size="xs"
            disabled={isOff}
            onClick={() => {
              onClose();
              onYes();
            }}
          >
            {yes}
          </Button>
          <Button ref={cancel} size="xs" variant="default" onClick={onClose}>
            Cancel
          </Button>
        </div>
      </Note>
    </div>
  );
}
