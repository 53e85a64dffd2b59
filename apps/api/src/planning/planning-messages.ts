import type { ErrorCode, Plan, RouteName } from '@funnel/contracts';
import type { Submitted } from '@funnel/db';
import type { RawBody } from '../request/bodies.ts';
import type { PlanRequest, SubmitRequest } from './plan-and-submit.ts';

/** A body, and the route that it is for. */
export type ReadRequest = { readonly route: RouteName; readonly body: RawBody };

export type Answers = { readonly plan: Plan; readonly submit: Submitted; readonly read: unknown };
type Requests = { readonly plan: PlanRequest; readonly submit: SubmitRequest; readonly read: ReadRequest };
export type Kind = keyof Answers;

export type Asked = {
  readonly [K in Kind]: { readonly kind: K; readonly request: Requests[K] };
}[Kind];

/** To a planning process. The address comes with every question, and so in no list of processes. */
export type Question = Asked & { readonly databaseUrl: string };

/** Back from it: errors do not keep their class on the way. `bytes`: memory of the process after it. */
export type Answer = { readonly bytes: number } & (
  | { readonly value: unknown }
  | {
      readonly refusal: {
        readonly code: ErrorCode;
        readonly message: string;
        readonly details: Readonly<Record<string, unknown>>;
      };
    }
  | { readonly fault: unknown }
);
