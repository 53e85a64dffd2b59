/** What is certain about a search before it runs: its units and their rungs. Random points take the place of those that it will propose. */
import { formatAmount, isPromoting, type PlannedSearch, type SweepDefinition } from '@funnel/contracts';
import { distinctEpochs, type Outline, outlinePoints } from '@funnel/planner';
import { planUnits } from '@funnel/search';
import { decidedSearchOf, rungEpochsOf } from './decided-search.ts';
import { createPointOf, type PointAtRung } from './outline-unit.ts';
import { searchOf } from './search-of.ts';

type Planned = ReturnType<typeof planUnits>;

const notesOf = (
  definition: SweepDefinition,
  { points, units, missing }: Planned,
  top: number,
): readonly string[] => {
  const { strategy, trials, stop } = decidedSearchOf(definition);
  const isSpaceSmall = points.length < trials;
  return [
    ...(isSpaceSmall
      ? [`The space has only ${formatAmount(points.length)} points, so the search proposes no more.`]
      : []),
    ...(missing > 0
      ? [
          `The last bracket is cut short, so it promotes nothing. ${isSpaceSmall ? `It needs ${formatAmount(missing)} more points.` : `With ${formatAmount(missing)} more trials it is complete.`}`,
        ]
      : []),
    ...(strategy === 'asha'
      ? [
          'ASHA promotes as results come, so the numbers of its rungs are those of random results.',
          ...(units.some(({ rung }) => rung === top)
            ? []
            : [
                'It knows few outcomes when it proposes its last configuration, so no configuration may reach the highest rung. More trials or a smaller parallelism help.',
              ]),
        ]
      : []),
    ...(stop ? ['The search may stop earlier, by a rule of `search.stop`.'] : []),
  ];
};

/**
 * `outline`: of all units, for the numbers of a plan; its trials are not those of the search. Throws INVALID_REQUEST for a search that no
 * strategy can make, and like `outlinePoints`.
 */
export const outlineSearch = (
  definition: SweepDefinition,
  engineVersion: string,
): { readonly outline: Outline; readonly search: PlannedSearch } => {
  const planned = planUnits(
    searchOf(definition, { earlier: [], handPoints: [] }),
    decidedSearchOf(definition).trials,
  );
  const { points, units } = planned;
  const pointOf = createPointOf(definition);
  const outlineUnits = (list: readonly PointAtRung[]): Outline =>
    outlinePoints(definition, engineVersion, list.map(pointOf));
  const outline = outlineUnits(
    units.map(({ configuration, rung }) => ({ point: points[configuration]!, rung })),
  );
  const rungs = rungEpochsOf(definition);
  const top = rungs.length - 1;
  return {
    outline,
    search: {
      configurations: points.length,
      decisions: units.length,
      rungs: rungs.map((epochs, at) => ({ epochs, units: units.filter(({ rung }) => rung === at).length })),
      epochsAtMost: distinctEpochs(outline),
      epochsWithoutPromotion: isPromoting(definition.search)
        ? distinctEpochs(outlineUnits(points.map((point) => ({ point, rung: top }))))
        : null,
      notes: [...notesOf(definition, planned, top)],
    },
  };
};
