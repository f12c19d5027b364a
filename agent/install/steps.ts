/** What an installation does, one value for each act, so that it can be shown before anything is done. */
export type Step =
  /** Makes the folder with this mode, or gives the mode to the one that is there. */
  | { readonly do: 'folder'; readonly path: string; readonly mode: number }
  | { readonly do: 'copy'; readonly from: string; readonly to: string; readonly mode: number }
  | {
      readonly do: 'write';
      readonly path: string;
      readonly text: string;
      readonly mode: number;
      /** A file of the owner of this machine is kept. */
      readonly isKept?: boolean;
      /** Its text is never shown. */
      readonly isSecret?: boolean;
      /** Default utf8. */
      readonly encoding?: 'utf8' | 'utf16';
    }
  /** Ends the agent that runs on this data folder. */
  | { readonly do: 'stop'; readonly dataDir: string }
  | { readonly do: 'enroll'; readonly tokenFile: string }
  | {
      readonly do: 'run';
      readonly argv: readonly [string, ...string[]];
      /** It fails when there is nothing to undo. */
      readonly mayFail?: boolean;
    }
  /** A file, or a folder with all in it; nothing when it is not there. */
  | { readonly do: 'remove'; readonly path: string }
  /** A folder that others may have put something into: it goes when it is empty. */
  | { readonly do: 'remove-empty'; readonly path: string };
