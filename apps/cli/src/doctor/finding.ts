/** `note`: nothing to mend, but worth knowing. */
export type Finding = {
  readonly what: string;
  readonly verdict: 'ok' | 'note' | 'fault';
  readonly detail: string;
  readonly hint?: string;
};
