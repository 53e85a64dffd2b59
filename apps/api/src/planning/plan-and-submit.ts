/** Planning and submitting with a database at hand: the same on the event loop and off it. */
import type { Plan, SweepDefinition } from '@funnel/contracts';
import { type Db, knownChains, type Submission, type Submitted, submitSweep } from '@funnel/db';
import { settlePlan } from '@funnel/planner';
import { outlineChecked } from './outline-checked.ts';

export type PlanRequest = { readonly definition: SweepDefinition; readonly engineVersion: string };
export type SubmitRequest = PlanRequest & { readonly idempotency?: Submission['idempotency'] };

export type Planning = {
  /** Errors: SWEEP_TOO_LARGE, CONTINUOUS_GRID, INVALID_REQUEST. */
  readonly plan: (request: PlanRequest) => Promise<Plan>;
  /** Errors: those, and IDEMPOTENCY_CONFLICT. */
  readonly submit: (request: SubmitRequest) => Promise<Submitted>;
};

export const planningWith = (db: Db): Planning => ({
  plan: async ({ definition, engineVersion }) => {
    const outline = outlineChecked(definition, engineVersion);
    return settlePlan(outline, await knownChains(db, outline.stages)).plan;
  },
  submit: async ({ definition, engineVersion, idempotency }) => {
    const outline = outlineChecked(definition, engineVersion);
    return submitSweep(db, {
      definition,
      stages: outline.stages,
      settle: (known) => settlePlan(outline, known),
      ...(idempotency && { idempotency }),
    });
  },
});
