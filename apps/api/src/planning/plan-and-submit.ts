/** Planning and submitting with a database at hand: the same on the event loop and off it. */
import { createHash } from 'node:crypto';
import { canonicalJson, type Plan, type SweepDefinition } from '@funnel/contracts';
import { type Db, knownChains, type Submitted, submitSweep } from '@funnel/db';
import { buildPlan } from '@funnel/planner';
import { outlineChecked } from './outline-checked.ts';

export type PlanRequest = { readonly definition: SweepDefinition; readonly engineVersion: string };
/** `idempotencyKey`: what the same request can be sent again under. */
export type SubmitRequest = PlanRequest & { readonly idempotencyKey?: string };

export type Planning = {
  /** Errors: SWEEP_TOO_LARGE, CONTINUOUS_GRID, INVALID_REQUEST. */
  readonly plan: (request: PlanRequest) => Promise<Plan>;
  /** Errors: those, and IDEMPOTENCY_CONFLICT. */
  readonly submit: (request: SubmitRequest) => Promise<Submitted>;
};

/** Of the definition with its defaults filled in: JSON and YAML that say the same are the same body. */
const hashBody = (definition: SweepDefinition): string =>
  createHash('sha256').update(canonicalJson(definition)).digest('hex');

/** `time` runs what a definition alone can make long: expanding and hashing. */
export const planningWith = (db: Db, time = <T>(work: () => T): T => work()): Planning => ({
  plan: async ({ definition, engineVersion }) => {
    const outline = time(() => outlineChecked(definition, engineVersion));
    return buildPlan(outline, await knownChains(db, outline.stages)).plan;
  },
  submit: async ({ definition, engineVersion, idempotencyKey: key }) => {
    const outline = time(() => outlineChecked(definition, engineVersion));
    return submitSweep(db, {
      definition,
      stages: outline.stages,
      buildPlan: (known) => buildPlan(outline, known),
      ...(key !== undefined && { idempotency: { key, bodyHash: hashBody(definition) } }),
    });
  },
});
