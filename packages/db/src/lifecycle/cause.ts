/** Why a stage is skipped: one that it needs ended without a usable result, or was skipped for such a one itself. */
import type { StageKind, StageStatus } from '@funnel/contracts';

export type Cause = { readonly status: StageStatus; readonly code: string; readonly message: string };

/** An ended stage. `cause`: what it was skipped for, or else its own end. */
export type End = {
  readonly id: string;
  readonly kind: StageKind;
  readonly status: StageStatus;
  readonly cause: StageStatus;
  readonly code: string | null;
  readonly message: string | null;
};

/** SQL: an `End` of stage `s`. */
export const endColumns = (s: string) =>
  `${s}.id, ${s}.kind, ${s}.status, coalesce(${s}.skip_cause, ${s}.status) AS cause, ${s}.error_code AS code, ${s}.error_message AS message`;

export const causeOf = ({ id, kind, status, cause, code, message }: End): Cause => ({
  status: cause,
  code: code ?? cause.toUpperCase(),
  message: `The ${kind} stage ${id} that it needs ${status}: ${message ?? cause}`,
});
