import {
  type HyperparameterName,
  hyperparametersOf,
  type Recipe,
  type RecipeName,
  recipes,
} from '@funnel/contracts';
import { useState } from 'react';
import { Panel } from '../../components/panel.tsx';
import type { Draft, HyperparameterDraft } from './draft.ts';
import { HyperparameterRow } from './hyperparameter-row.tsx';
import { type Issues, issueAt } from './issues.ts';

/** Hyperparameters that one of the recipes reads, under the first stage that reads them. */
const groupsOf = (
  names: readonly RecipeName[],
): { readonly kind: string; readonly hyperparameters: readonly HyperparameterName[] }[] => {
  const seen = new Set<HyperparameterName>();
  const groups = new Map<string, HyperparameterName[]>();
  for (const name of names) {
    const recipe: Recipe = recipes[name];
    for (const { kind, reads, lengthOf } of recipe.stages)
      for (const hyperparameter of [...lengthOf, ...reads]) {
        if (seen.has(hyperparameter)) continue;
        seen.add(hyperparameter);
        groups.set(kind, [...(groups.get(kind) ?? []), hyperparameter]);
      }
  }
  return [...groups].map(([kind, hyperparameters]) => ({ kind, hyperparameters }));
};

const notes: Record<string, string> = {
  initialise: 'Varying these trains an initialisation for each value.',
  optimise: 'Trials that differ only here share their initialisation.',
  classify: 'Trials that differ only here share their auto-encoder.',
};

export const HyperparametersSection = (props: {
  readonly draft: Draft;
  readonly issues: Issues;
  readonly onHyperparameter: (name: HyperparameterName, hyperparameter: HyperparameterDraft) => void;
}) => {
  const { draft, issues, onHyperparameter } = props;
  const [search, setSearch] = useState('');
  const wanted = search.trim().toLowerCase();
  const total = new Set(draft.recipes.flatMap((recipe) => hyperparametersOf(recipe))).size;
  const set = Object.values(draft.hyperparameters).filter(
    (hyperparameter) => hyperparameter.mode !== 'default',
  ).length;
  return (
    <Panel
      title="Search space"
      note={`${set} of ${total} hyperparameters set; the others keep their default.`}
      actions={
        <input
          className="input"
          type="search"
          aria-label="Find a hyperparameter"
          placeholder="Find a hyperparameter"
          data-search
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
      }
    >
      <div className="hyperparameter-groups">
        {groupsOf(draft.recipes).map(({ kind, hyperparameters }) => {
          const shown = hyperparameters.filter(
            (name) => wanted === '' || name.toLowerCase().includes(wanted),
          );
          if (shown.length === 0) return null;
          return (
            <section key={kind}>
              <h3>
                {kind}{' '}
                <span className="muted" style={{ fontWeight: 400 }}>
                  {notes[kind]}
                </span>
              </h3>
              <ul>
                {shown.map((name) => (
                  <HyperparameterRow
                    key={name}
                    name={name}
                    hyperparameter={draft.hyperparameters[name] ?? { mode: 'default' }}
                    error={issueAt(issues, `space.${name}`)}
                    onChange={(hyperparameter) => onHyperparameter(name, hyperparameter)}
                  />
                ))}
              </ul>
            </section>
          );
        })}
      </div>
    </Panel>
  );
};
