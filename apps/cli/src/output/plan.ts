/** A plan as text: everything that will run, the work that is left, and what it costs. */
import {
  describeAwaited,
  describeBehind,
  describeChanges,
  describeRough,
  describeUnknownTime,
  describeValues,
  formatAmount,
  formatBytes,
  formatExact,
  formatRoughDuration,
  hyperparametersOf,
  type Plan,
  plural,
  type StageKind,
} from '@funnel/contracts';
import { type Column, formatNumber, formatTable } from './format.ts';
import { describePlannedSearch } from './search.ts';
import { datasetLine } from './sweeps.ts';
import { settingsText } from './trials.ts';
import { wrapToWidth } from './width.ts';

type Runs = NonNullable<Plan['runs']>;

/** The lines of a table, and an empty line below; nothing without rows. */
const tableOf = <Row>(columns: readonly Column<Row>[], rows: readonly Row[]): readonly string[] =>
  rows.length === 0 ? [] : [formatTable(columns, rows), ''];

type Planned = NonNullable<Plan['space']>[number];

/** The recipes of the plan that read each hyperparameter. No column where each recipe reads all of them. */
const readersColumn = ({ space = [], runs }: Plan): readonly Column<Planned>[] => {
  const recipes = runs?.recipes ?? [];
  const readersOf = ({ hyperparameter }: Planned) =>
    recipes.filter((recipe) => (hyperparametersOf(recipe) as readonly string[]).includes(hyperparameter));
  if (space.every((planned) => readersOf(planned).length === recipes.length)) return [];
  const text = (readers: readonly string[]) =>
    readers.length === recipes.length ? 'all recipes' : readers.join(', ');
  return [{ title: 'read by', value: (planned) => text(readersOf(planned)) }];
};

/** The values of each hyperparameter, and the parts of the search space that add no trial. */
const describeSpace = (plan: Plan): readonly string[] => {
  const { space = [], leftOut = [] } = plan;
  return [
    ...tableOf<Planned>(
      [
        { title: 'hyperparameter', value: ({ hyperparameter }) => hyperparameter },
        ...readersColumn(plan),
        { title: 'values', value: describeValues },
      ],
      space,
    ),
    ...leftOut,
    ...(leftOut.length > 0 ? [''] : []),
  ];
};

const describeDefaults = ({ defaults }: Runs): readonly string[] => {
  const texts = Object.entries(defaults).map(([name, value]) => `${name}=${formatExact(value)}`);
  return texts.length === 0 ? [] : [`defaults  ${texts.join(' ')}`, ''];
};

const describeAttacks = ({ attacks }: Runs): readonly string[] =>
  tableOf<Runs['attacks'][number]>(
    [
      { title: 'attack', value: ({ attack }) => attack },
      { title: 'settings', value: (run) => settingsText(run) || 'none' },
    ],
    attacks,
  );

/** Plans of older versions do not say what runs. */
const describeRuns = (plan: Plan): readonly string[] => {
  const { runs } = plan;
  if (!runs) return describeSpace(plan);
  return [
    ...(runs.dataset
      ? [`${datasetLine(runs.dataset)}; ${plural(runs.dataset.classes, 'class', 'classes')}`]
      : []),
    `recipes   ${runs.recipes.join(', ')}`,
    `seeds     ${runs.seeds.join(', ')}`,
    '',
    ...describeSpace(plan),
    ...describeDefaults(runs),
    ...describeAttacks(runs),
  ];
};

const timeText = (estimate: NonNullable<Plan['estimate']>): string => {
  const { seconds = null, slots } = estimate;
  const rough = describeRough(estimate);
  return seconds === null
    ? describeUnknownTime(estimate)
    : `about ${formatRoughDuration(seconds)}${slots === undefined ? '' : ` on ${plural(slots, 'trainer')}`}, at the speed of the last stages here${rough === '' ? '' : `; ${rough}`}`;
};

const describeEstimate = ({ estimate, behind }: Plan): readonly string[] => {
  if (!estimate) return [];
  const { parameters, trainerBytes, storedBytes, attackQueries } = estimate;
  return [
    `time      ${timeText(estimate)}${behind ? `; ${describeBehind(behind)}` : ''}`,
    `memory    at least ${formatBytes(trainerBytes)} for each trainer (${formatAmount(parameters)} parameters)`,
    `storage   about ${formatBytes(storedBytes)} if nothing is done already`,
    `queries   at most ${formatAmount(attackQueries)} of all attacks, if nothing is done already`,
  ];
};

/** `12 to train; 5 more are in progress or wait in another sweep: P1 (paused); 30 without sharing: trials share 10 (1.5×), 3 are done` */
const epochsText = (plan: Plan): string => {
  const { unshared, needed, cached } = plan.epochs;
  const shared = unshared - needed - cached;
  const done = cached - (plan.awaited?.epochs ?? 0);
  const awaited = describeAwaited(plan);
  const saved = [
    ...(shared > 0 ? [`trials share ${formatAmount(shared)} (${formatNumber(plan.sharing)}×)`] : []),
    ...(done > 0 ? [`${formatAmount(done)} ${done === 1 ? 'is' : 'are'} done`] : []),
  ];
  const whole = saved.length === 0 ? '' : `; ${formatAmount(unshared)} without sharing: ${saved.join(', ')}`;
  return `${formatAmount(needed)} to train${awaited === '' ? '' : `; ${awaited}`}${whole}`;
};

/** Why stages that seem to be done are made again. */
export const describeMadeAnew = ({ madeAnew = [] }: Plan): readonly string[] =>
  madeAnew.length === 0
    ? []
    : [`Made by an older version, so made anew with all that follows: ${describeChanges(madeAnew)}.`];

/** What will probably disappoint. */
export const describeWarnings = ({ warnings = [] }: Plan): readonly string[] =>
  warnings.map((sentence) => `⚠ ${sentence}`);

/** `width`: the columns of the terminal; null breaks no line. */
export const describePlan = (plan: Plan, width: number | null = null): string => {
  const { trials, stages, search } = plan;
  const all = Object.entries(stages) as [StageKind, { total: number; cached: number }][];
  const kinds = all.filter(([, { total }]) => total > 0); // a sweep without an auto-encoder has no stage of some kinds
  return [
    ...(search ? describePlannedSearch(search, trials) : [plural(trials, 'trial')]),
    '',
    ...describeRuns(plan),
    ...tableOf(
      [
        { title: 'stage', value: ([kind]) => kind },
        { title: 'number', value: ([, { total }]) => formatAmount(total), align: 'right' as const },
        {
          title: 'done or in progress',
          value: ([, { cached }]) => formatAmount(cached),
          align: 'right' as const,
        },
      ],
      kinds,
    ),
    `epochs    ${epochsText(plan)}`,
    ...describeEstimate(plan),
    ...describeMadeAnew(plan),
    ...describeWarnings(plan),
  ]
    .map((line) => (line.includes('\n') ? line : wrapToWidth(line, width, ' '.repeat(10))))
    .join('\n');
};
