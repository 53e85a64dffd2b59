/** Submits sweeps with the real planner, so that the database stores real plans. */
import { type Plan, SweepDefinition, type SweepInput } from '@funnel/contracts';
import { buildPlan, outlineSweep } from '@funnel/planner';
import { type Db, type Submitted, submitSweep } from '../../src/index.ts';

export const definition = (input: Partial<SweepInput> = {}): SweepDefinition =>
  SweepDefinition.parse({
    name: 'test',
    dataset: { name: 'glyphs', train: 100, test: 20, attack: 4 },
    attacks: [{ attack: 'fgsm', search: false }],
    ...input,
    space: { initialiseEpochs: 2, optimiseEpochs: 3, classifierEpochs: 1, ...input.space },
  });

export type Submission = Submitted & { readonly plan: Plan };

export const submit = async (
  db: Db,
  input: Partial<SweepInput> = {},
  idempotency?: { key: string; bodyHash: string },
): Promise<Submission> => {
  const sweep = definition(input);
  const outline = outlineSweep(sweep, 'engine-1');
  let plan: Plan | undefined;
  const submitted = await submitSweep(db, {
    definition: sweep,
    stages: outline.stages,
    buildPlan: (known) => {
      const built = buildPlan(outline, known);
      plan = built.plan;
      return built;
    },
    idempotency,
  });
  return { ...submitted, plan: plan! };
};
