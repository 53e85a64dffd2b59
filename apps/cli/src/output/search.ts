/** A search that decides one configuration after the other, as text: its plan, its state, its decisions. */
import {
  formatAmount,
  inSentence,
  type PlannedSearch,
  plural,
  readExtended,
  type SearchDecision,
  type SearchPoint,
  type SearchState,
  verdictText,
} from '@funnel/contracts';
import { type Column, formatHyperparameter, formatNumber, formatTable } from './format.ts';
import { metricText, sureText } from './metrics.ts';

type Values = SearchDecision['outcome']['values'];
type Objective = SearchState['objectives'][number];

const objectiveText = ({ metric }: Objective, value: Values[number] | undefined): string =>
  metricText(metric, readExtended(value ?? null));

type Best = SearchState['front'][number];

/** `43.1 % (33.8–52.9)`: a value with the ends of its 95 % interval. */
const sureValue = ({ metric }: Objective, { values, evidence }: Best, place: number): string =>
  sureText(metric, values[place] ?? null, evidence?.[place]?.interval);

/** Over all seeds, once where the objectives have equally many: `1,000, 200`. Empty in answers of older versions. */
const countOfImages = ({ evidence = [] }: Best): string =>
  [...new Set(evidence.map(({ images }) => formatAmount(images)))].join(', ');

const imagesText = (best: Best): string => {
  const count = countOfImages(best);
  return count === '' ? '' : `${count} ${count === '1' ? 'image' : 'images'}`;
};

const verdictMark = ({ verdict }: Best): string => (verdict && verdict !== 'ok' ? verdictText(verdict) : '');

/** `robust accuracy (fgsm) 43.1 % (33.8–52.9); 200 images; suspect` */
const sureValues = (objectives: readonly Objective[], best: Best): string =>
  [
    objectives.map((each, i) => `${inSentence(each.title)} ${sureValue(each, best, i)}`).join(', '),
    imagesText(best),
    verdictMark(best),
  ]
    .filter((text) => text !== '')
    .join('; ');

/** `gamma=5 beta=0.01` */
const pointText = (point: SearchPoint): string =>
  Object.entries(point)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');

/** What is known before the search runs. Its end, or a bad unit, may make every number smaller. */
export const describePlannedSearch = (search: PlannedSearch, trials: number): readonly string[] => {
  const { configurations, decisions, rungs, epochsAtMost, epochsWithoutPromotion, notes } = search;
  const table = formatTable(
    [
      { title: 'rung', value: ({ number }) => String(number), align: 'right' },
      { title: 'epochs', value: ({ epochs }) => formatAmount(epochs), align: 'right' },
      { title: 'units', value: ({ units }) => formatAmount(units), align: 'right' },
    ],
    rungs.map((rung, number) => ({ number, ...rung })),
  );
  const saved =
    epochsWithoutPromotion === null
      ? ''
      : `; ${formatAmount(epochsWithoutPromotion)} if every configuration trained as long as at the highest rung (${formatNumber(epochsWithoutPromotion / Math.max(1, epochsAtMost))}×)`;
  return [
    `A search of ${plural(configurations, 'configuration')}: at most ${plural(decisions, 'decision')} and ${plural(trials, 'trial')}`,
    '',
    ...(rungs.length > 0 ? [table, ''] : []),
    `At most ${formatAmount(epochsAtMost)} epochs to train${saved}.`,
    ...notes,
    'The points will follow from results. The numbers below hold for random points.',
  ];
};

const rungsText = (rungs: SearchState['rungs']): string =>
  rungs.map(({ epochs, units, ended }) => `${plural(epochs, 'epoch')} ${ended}/${units}`).join(' · ');

/** The best so far, or the size of the Pareto front and its hypervolume; null before the first result. */
export const bestText = ({ objectives, best, front, hypervolume }: SearchState): string | null => {
  if (best) return `decision ${best.decision}, ${sureValues(objectives, best)}`;
  if (front.length === 0) return null;
  const volume = hypervolume?.overDecisions.at(-1)?.value;
  return `${plural(front.length, 'unit')} on the Pareto front${volume === undefined ? '' : `, hypervolume ${formatNumber(volume)}`}`;
};

/** Bad units count as no result: those that violate a constraint, for example, and by default those that are masked or untrained. */
const noResult = 'no good result yet';

/** Lines for the progress of a sweep: the best so far, and the ended units of each rung. */
export const searchLines = (state: SearchState): readonly string[] => [
  `  best so far: ${bestText(state) ?? noResult}`,
  ...(state.rungs.length > 0 ? [`  ended at each rung: ${rungsText(state.rungs)}`] : []),
];

/** More members of the front would hide the rest of the page. `npx funnel decisions` has all. */
const maxFront = 10;

const describeFront = ({ objectives, front }: SearchState): readonly string[] => {
  if (front.length === 0) return [];
  const table = formatTable(
    [
      { title: 'decision', value: ({ decision }) => String(decision), align: 'right' as const },
      ...objectives.map(
        (objective, i): Column<Best> => ({
          title: inSentence(objective.title),
          value: (best) => sureValue(objective, best, i),
          align: 'right',
        }),
      ),
      ...(front.some(({ evidence }) => evidence)
        ? [{ title: 'images', value: countOfImages, align: 'right' as const }]
        : []),
      ...(front.some(verdictMark) ? [{ title: 'verdict', value: verdictMark }] : []),
    ],
    front.slice(0, maxFront),
  );
  return [
    ...table.split('\n').map((line) => `  ${line}`),
    ...(front.length > maxFront ? [`  … and ${front.length - maxFront} more`] : []),
  ];
};

/** The points that users asked for and that the search has not taken: it takes them next, or ended before. */
const describeWaitingPoints = ({ waitingPoints, ended }: SearchState): readonly string[] =>
  waitingPoints.map(
    (point, i) => `${i > 0 ? '          ' : ended ? 'not tried ' : 'try next  '}${pointText(point)}`,
  );

/** The state of a search below the description of its sweep. */
export const describeSearch = (state: SearchState): readonly string[] => [
  `best      ${bestText(state) ?? noResult}`,
  ...describeFront(state),
  ...(state.rungs.length > 0 ? [`rungs     ${rungsText(state.rungs)} units ended`] : []),
  ...(state.earlier > 0
    ? [`earlier   ${plural(state.earlier, 'outcome')} of the sweeps that it learns from`]
    : []),
  ...describeWaitingPoints(state),
  `→ \`npx funnel decisions ${state.sweepId}\` lists its decisions.`,
];

/** Sentences: why the unit is bad, why its configuration was proposed or promoted, and why it did not go on. */
const whyText = ({ note, outcome: { reason } }: SearchDecision): string =>
  [...(reason === null ? [] : [`Bad: ${reason}.`]), ...(note === null ? [] : [note])].join(' ');

/** The decision that made a trial: `decision 7 at rung 1 (3 epochs). 2nd of 27 at rung 0, so it went on to 3 epochs.` */
export const describeDecision = (decision: SearchDecision): string => {
  const { number, rung, epochs } = decision;
  const why = whyText(decision);
  const at = epochs === null ? '' : ` at rung ${rung} (${plural(epochs, 'epoch')})`;
  return `decision ${number}${at}${why === '' ? '' : `. ${why}`}`;
};

/** More columns do not fit into a terminal. `--csv` has all. */
const maxVariables = 6;

const namesIn = (decisions: readonly SearchDecision[]): readonly string[] => [
  ...new Set(decisions.flatMap(({ point }) => Object.keys(point ?? {}))),
];

/** The variables with several values. The points also have the hyperparameters to which the space gives one value. */
const differingIn = (decisions: readonly SearchDecision[]): readonly string[] => {
  const points = decisions.flatMap(({ point }) => (point === null ? [] : [point]));
  return namesIn(decisions).filter((name) => new Set(points.flatMap((point) => point[name] ?? [])).size > 1);
};

/** Has neither times nor ids of trials, so the tables of two searches with the same definition can be compared line by line. */
export const describeDecisions = (
  { objectives, rungs }: SearchState,
  decisions: readonly SearchDecision[],
  width: number | null = null,
): string => {
  if (decisions.length === 0) return 'No decision yet.';
  const right = { align: 'right' } as const;
  const columns: Column<SearchDecision>[] = [
    { title: '#', value: ({ number }) => String(number), ...right },
    { title: 'source', value: ({ source }) => source },
    ...(rungs.length === 0
      ? []
      : [
          {
            title: 'configuration',
            value: ({ configuration }: SearchDecision) => formatHyperparameter(configuration ?? undefined),
            ...right,
          },
          {
            title: 'rung',
            value: ({ rung }: SearchDecision) => formatHyperparameter(rung ?? undefined),
            ...right,
          },
          {
            title: 'epochs',
            value: ({ epochs }: SearchDecision) => formatHyperparameter(epochs ?? undefined),
            ...right,
          },
        ]),
    ...differingIn(decisions)
      .slice(0, maxVariables)
      .map((name) => ({
        title: name,
        value: ({ point }: SearchDecision) => formatHyperparameter(point?.[name]),
        ...right,
      })),
    { title: 'outcome', value: ({ source, outcome }) => (source === 'empty' ? '–' : outcome.status) },
    ...objectives.map((objective, i) => ({
      title: inSentence(objective.title),
      value: ({ outcome }: SearchDecision) => objectiveText(objective, outcome.values[i]),
      ...right,
    })),
    { title: 'why', value: whyText },
  ];
  return formatTable(columns, decisions, width);
};

/** The rows of the table as CSV has them, with all digits of every number. Like the table, they have neither times nor ids of trials. */
export const decisionRows = (
  { objectives }: SearchState,
  decisions: readonly SearchDecision[],
): readonly Readonly<Record<string, unknown>>[] => {
  const names = namesIn(decisions);
  return decisions.map(({ number, source, configuration, rung, epochs, point, outcome, promoted, note }) => ({
    decision: number,
    source,
    configuration,
    rung,
    epochs,
    ...Object.fromEntries(names.map((name) => [name, point?.[name]])),
    outcome: source === 'empty' ? null : outcome.status,
    ...Object.fromEntries(
      objectives.map(({ attack, metric }, i) => [
        attack === null ? metric : `${attack} ${metric}`,
        outcome.values[i],
      ]),
    ),
    reason: outcome.reason,
    promoted,
    note,
  }));
};
