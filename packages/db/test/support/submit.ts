/** Submits sweeps with the real planner, so that the database stores real plans. */
import {
  defaultLimits,
  type Known,
  type Plan,
  type StoredDefinition,
  SweepDefinition,
  type SweepInput,
  storedDefinition,
} from '@funnel/contracts';
import { buildPlan, outlineSweep } from '@funnel/planner';
import { type Db, type Submitted, submitSweep } from '../../src/index.ts';
import type { SubmitOptions } from '../../src/submission/submit-sweep.ts';
import { query } from './tables.ts';

export const definition = (input: Partial<SweepInput> = {}): StoredDefinition =>
  storedDefinition(
    SweepDefinition.parse({
      name: 'test',
      dataset: { name: 'glyphs', train: 100, test: 20, attack: 4 },
      attacks: [{ attack: 'fgsm', search: false }],
      ...input,
      space: { initialiseEpochs: 2, optimiseEpochs: 3, classifierEpochs: 1, ...input.space },
    }),
  );

/** The submission of this sweep by `client`, as the planner prepares it. */
export const prepared = (sweep: StoredDefinition, client = 'tester') => {
  const outline = outlineSweep(sweep, 'engine-1');
  return {
    definition: sweep,
    stages: outline.stages,
    buildPlan: (known: Known) => buildPlan(outline, known),
    share: { client, limits: { ...defaultLimits, ownSweeps: 1e6 } },
  };
};

/** `plan`: the last of `tries` plans. */
export type Submission = Submitted & { readonly plan: Plan; readonly tries: number };

export const submit = async (
  db: Db,
  input: Partial<SweepInput> = {},
  idempotency?: { key: string; bodyHash: string },
  options?: SubmitOptions,
): Promise<Submission> => {
  const submission = prepared(definition(input));
  const plans: Plan[] = [];
  const buildPlan = (known: Known) => {
    const built = submission.buildPlan(known);
    plans.push(built.plan);
    return built;
  };
  const submitted = await submitSweep(db, { ...submission, buildPlan, idempotency }, options);
  return { ...submitted, plan: plans.at(-1)!, tries: plans.length };
};

/** As if the plan of the sweep had expected this time, of which attacks take a part. */
export const expectTime = async (
  db: Db,
  { sweepId }: Submitted,
  estimate: { readonly seconds: number; readonly attackSeconds: number },
): Promise<void> => {
  await query(db, `UPDATE sweeps SET plan = jsonb_set(plan, '{estimate}', $2) WHERE id = $1`, [
    sweepId,
    JSON.stringify(estimate),
  ]);
};
