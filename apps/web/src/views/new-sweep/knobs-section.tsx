import { type HyperparameterName, knobsOf, type Recipe, type RecipeName, recipes } from '@funnel/contracts';
import { useState } from 'react';
import { Panel } from '../../components/panel.tsx';
import type { Draft, KnobDraft } from './draft.ts';
import { type Issues, issueAt } from './issues.ts';
import { KnobRow } from './knob-row.tsx';

/** Knobs that one of the recipes reads, under the first stage that reads them. */
const groupsOf = (
  names: readonly RecipeName[],
): { readonly kind: string; readonly knobs: readonly HyperparameterName[] }[] => {
  const seen = new Set<HyperparameterName>();
  const groups = new Map<string, HyperparameterName[]>();
  for (const name of names) {
    const recipe: Recipe = recipes[name];
    for (const { kind, reads, lengthOf } of recipe.stages)
      for (const knob of [...lengthOf, ...reads]) {
        if (seen.has(knob)) continue;
        seen.add(knob);
        groups.set(kind, [...(groups.get(kind) ?? []), knob]);
      }
  }
  return [...groups].map(([kind, knobs]) => ({ kind, knobs }));
};

const notes: Record<string, string> = {
  initialise: 'Varying these trains an initialisation for each value.',
  optimise: 'Trials that differ only here share their initialisation.',
  classify: 'Trials that differ only here share their auto-encoder.',
};

export const KnobsSection = (props: {
  readonly draft: Draft;
  readonly issues: Issues;
  readonly onKnob: (name: HyperparameterName, knob: KnobDraft) => void;
}) => {
  const { draft, issues, onKnob } = props;
  const [search, setSearch] = useState('');
  const wanted = search.trim().toLowerCase();
  const total = new Set(draft.recipes.flatMap((recipe) => knobsOf(recipe))).size;
  const set = Object.values(draft.knobs).filter((knob) => knob.mode !== 'default').length;
  return (
    <Panel
      title="Search space"
      note={`${set} of ${total} knobs set; the others keep their default.`}
      actions={
        <input
          className="input"
          type="search"
          aria-label="Find a knob"
          placeholder="Find a knob"
          data-search
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
      }
    >
      <div className="knob-groups">
        {groupsOf(draft.recipes).map(({ kind, knobs }) => {
          const shown = knobs.filter((name) => wanted === '' || name.toLowerCase().includes(wanted));
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
                  <KnobRow
                    key={name}
                    name={name}
                    knob={draft.knobs[name] ?? { mode: 'default' }}
                    error={issueAt(issues, `space.${name}`)}
                    onChange={(knob) => onKnob(name, knob)}
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
