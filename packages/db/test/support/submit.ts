/** Submits sweeps with the real planner, so that the database stores real plans. */
import {
  type Known,
  type Plan,
  type StoredDefinition,
  SweepDefinition,
  type SweepInput,
  storedDefinition,
} from '@funnel/contracts';
import { buildPlan, outlineSweep } from '@funnel/planner';
import { type Db, type Submitted, submitSweep } from '../../src/index.ts';

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

/** The submission of this sweep, as the planner prepares it. */
export const prepared = (sweep: StoredDefinition) => {
  const outline = outlineSweep(sweep, 'engine-1');
  return {
    definition: sweep,
    stages: outline.stages,
    buildPlan: (known: Known) => buildPlan(outline, known),
  };
};

export type Submission = Submitted & { readonly plan: Plan };

export const submit = async (
  db: Db,
  input: Partial<SweepInput> = {},
  idempotency?: { key: string; bodyHash: string },
): Promise<Submission> => {
  const submission = prepared(definition(input));
  let plan: Plan | undefined;
  const submitted = await submitSweep(db, {
    ...submission,
    buildPlan: (known) => {
      const built = submission.buildPlan(known);
      plan = built.plan;
      return built;
    },
    idempotency,
  });
  return { ...submitted, plan: plan! };
};
