import type { ErrorCode, Plan } from '@funnel/contracts';
import type { Submitted } from '@funnel/db';
import type { PlanRequest, SubmitRequest } from './plan-and-submit.ts';

/** To the planning process. The address comes with every question, and so in no list of processes. */
export type Question = { readonly id: number; readonly databaseUrl: string } & (
  | { readonly kind: 'plan'; readonly request: PlanRequest }
  | { readonly kind: 'submit'; readonly request: SubmitRequest }
);

/** Back from it: errors do not keep their class on the way. */
export type Answer = { readonly id: number } & (
  | { readonly value: Plan | Submitted }
  | {
      readonly refusal: {
        readonly code: ErrorCode;
        readonly message: string;
        readonly details: Readonly<Record<string, unknown>>;
      };
    }
  | { readonly fault: unknown }
);
