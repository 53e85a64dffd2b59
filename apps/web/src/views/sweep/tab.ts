import type { SweepDetail } from '@funnel/contracts';

export type SweepTabProps = { readonly sweep: SweepDetail };
