import {
  type HyperparameterDeclaration,
  type HyperparameterName,
  hyperparameterDeclaration,
  type Recipe,
  recipes,
  type TrialDetail,
} from '@funnel/contracts';
import { Panel } from '../../components/panel.tsx';
import { formatHyperparameter } from '../../format.ts';

type Line = {
  readonly name: HyperparameterName;
  readonly meta: HyperparameterDeclaration;
  readonly value: unknown;
  readonly usual: boolean;
};

/** Every hyperparameter under the first stage that reads it. */
const linesByStage = (trial: TrialDetail): { readonly kind: string; readonly lines: readonly Line[] }[] => {
  const recipe: Recipe = recipes[trial.recipe];
  const seen = new Set<string>();
  return recipe.stages.map(({ kind, reads, lengthOf }) => {
    const names = [...lengthOf, ...reads].filter((name) => !seen.has(name));
    for (const name of names) seen.add(name);
    const lines = names.map((name): Line => {
      const value = trial.hyperparameters[name];
      const meta = hyperparameterDeclaration(name);
      return { name, meta, value, usual: value === meta.default };
    });
    return { kind, lines };
  });
};

export const SpecPanel = ({ trial }: { readonly trial: TrialDetail }) => (
  <Panel
    title="Specification"
    note="Every hyperparameter under the first stage that reads it. Bold: not the default. †: not printed in the paper, our choice."
  >
    <div className="spec">
      {linesByStage(trial).map(({ kind, lines }) => (
        <section key={kind}>
          <h3>{kind}</h3>
          <dl>
            {lines.map(({ name, meta, value, usual }) => (
              <div key={name} title={meta.description.replaceAll('`', '')}>
                <dt>
                  {meta.title}
                  {meta.assumed ? ' †' : ''}
                </dt>
                <dd style={{ fontWeight: usual ? undefined : 680 }}>{formatHyperparameter(value)}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </div>
  </Panel>
);
