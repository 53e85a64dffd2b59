/** What the exit status of `funnel` says; printed by `funnel help exit-codes`. */
export const exitCodes = {
  ok: 0,
  /** Something went wrong that none of the following says. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** The API refused the request; its problem is printed. */
  refused: 3,
  /** Nobody answers at the API's address. */
  unreachable: 4,
  /** A watched sweep ended, but not every trial of it completed. */
  incomplete: 5,
  /** Ctrl-C. */
  interrupted: 130,
  /** The reader of the output ended before the command did, as in `funnel up | head`. */
  readerGone: 141,
} as const;

/** Ends a command with an exit status after its message was printed. */
export class Exit extends Error {
  readonly status: number;
  constructor(status: number, message = '') {
    super(message);
    this.name = 'Exit';
    this.status = status;
  }
}
