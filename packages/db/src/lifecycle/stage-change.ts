import type { StageKind, StageStatus } from '@funnel/contracts';

export type StageChange = {
  readonly id: string;
  readonly kind: StageKind;
  readonly from: StageStatus;
  readonly to: StageStatus;
};
