import {
  describeBehind,
  elsewhereText,
  epochsOf,
  formatAmount,
  formatRoughDuration,
  nextStep,
  plural,
  type SearchProgress,
  StageKind,
  type Sweep,
  type SweepDetail,
  sharingOf,
  statusText,
  timeTaken,
} from '@funnel/contracts';
import { bestCell, bestLines } from './best-configuration.ts';
import { type Column, formatMinute, formatProgress, formatTable } from './format.ts';

/** `3 completed, 1 failed` */
export const countsText = (counts: Readonly<Partial<Record<string, number>>>): string =>
  Object.entries(counts)
    .filter(([, count]) => (count ?? 0) > 0)
    .map(([status, count]) => `${count} ${status}`)
    .join(', ');

const timeLeft: Column<Sweep> = {
  title: 'left',
  value: ({ etaSeconds }) => (etaSeconds === null ? '' : formatRoughDuration(etaSeconds)),
  align: 'right',
};

/** The sweeps before this one, and their time. */
const behindColumn: Column<Sweep> = {
  title: 'turn',
  isOptional: true,
  value: ({ behind }) => (behind ? describeBehind(behind) : ''),
};

/** Configurations that a search has proposed, of those that it may propose. */
const proposedColumn: Column<Sweep> = {
  title: 'search',
  isOptional: true,
  value: ({ search }) =>
    search ? `${search.proposed} of ${search.configurations}${search.ended ? ', decides no more' : ''}` : '',
};

/** Characters for the tags of a sweep in a terminal. */
const tagsWidth = 24;

/** `baseline, paper/v2, +3`: the first tags that fit into `width`, at least one. Null: all of them. */
export const tagsText = (tags: readonly string[], width: number | null = null): string => {
  const all = tags.join(', ');
  if (width === null || all.length <= width) return all;
  const fitting = tags.findLastIndex((_, i) => tags.slice(0, i + 1).join(', ').length <= width);
  const shown = Math.max(1, fitting + 1);
  const rest = tags.length - shown;
  return [...tags.slice(0, shown), ...(rest > 0 ? [`+${rest}`] : [])].join(', ');
};

const tagsColumn = (width: number | null): Column<Sweep> => ({
  title: 'tags',
  isOptional: true,
  value: ({ tags }) => tagsText(tags ?? [], width === null ? null : tagsWidth),
});

/** The best value so far, by the objective of each sweep. */
const bestColumn: Column<Sweep> = { title: 'best so far', value: bestCell, isOptional: true };

/** In a narrow terminal: `5 of 20, 1 failed` */
const shortCounts = (counts: Readonly<Partial<Record<string, number>>>): string => {
  const all = Object.values(counts).reduce<number>((sum, count) => sum + (count ?? 0), 0);
  const done = counts.completed ?? 0;
  const failed = counts.failed ?? 0;
  return `${done} of ${all}${failed > 0 ? `, ${failed} failed` : ''}`;
};

/** Terminals with fewer columns get short counts. */
const narrow = 100;

/** `width`: the columns of the terminal; null cuts no name. */
export const describeSweeps = (sweeps: readonly Sweep[], width: number | null = null): string =>
  sweeps.length === 0
    ? 'No sweep yet: `npx funnel submit FILE`'
    : formatTable<Sweep>(
        [
          { title: 'sweep', value: ({ id }) => id },
          { title: 'status', value: ({ status }) => statusText(status) },
          { title: 'progress', value: ({ progress }) => formatProgress(progress), align: 'right' },
          ...(sweeps.some(({ etaSeconds }) => etaSeconds !== null) ? [timeLeft] : []),
          ...(sweeps.some(({ behind }) => behind !== undefined) ? [behindColumn] : []),
          ...(sweeps.some(({ search }) => search !== undefined) ? [proposedColumn] : []),
          {
            title: 'trials',
            value: ({ trials }) => (width !== null && width < narrow ? shortCounts : countsText)(trials),
          },
          ...(sweeps.some(({ overview }) => overview?.best) ? [bestColumn] : []),
          ...(sweeps.some(({ tags }) => tags?.length) ? [tagsColumn(width)] : []),
          { title: 'created', value: ({ createdAt }) => formatMinute(createdAt), isOptional: true },
          // Last, because it may be long.
          { title: 'name', value: ({ name }) => name },
        ],
        sweeps,
        width,
      );

const commands = {
  resumeSweep: (id: string) => `npx funnel resume ${id}`,
  retrySweep: (id: string) => `npx funnel retry ${id}`,
  createSweep: () => 'npx funnel submit FILE',
} as const;

/** What to do about a sweep that does not go on by itself, with the command. Empty when there is nothing to do. */
export const describeNextStep = (sweep: Sweep): readonly string[] => {
  const step = nextStep(sweep);
  if (step === null) return [];
  return [`→ ${step.text}${step.route === null ? '' : ` \`${commands[step.route](sweep.id)}\``}`];
};

/** Why stages wait that no live worker can run. */
export const describeWaits = ({ waitsFor }: SweepDetail): readonly string[] =>
  waitsFor.map((text) => `✗ a stage ${text}`);

/** Of a sweep that runs: `about 14 min left`, `waits behind A (about 12 min)`. */
export const leftTexts = ({ etaSeconds, behind }: Sweep): readonly string[] => [
  ...(etaSeconds === null ? [] : [`about ${formatRoughDuration(etaSeconds)} left`]),
  ...(behind ? [describeBehind(behind)] : []),
];

const timeText = (sweep: Sweep): string => {
  const taken = timeTaken(sweep);
  return (taken === null ? leftTexts(sweep) : [`ended after ${taken}`]).map((text) => `, ${text}`).join('');
};

/** Why a search decides no more. */
const ends: Readonly<Record<NonNullable<SearchProgress['ended']>, string>> = {
  trials: 'it has all of its configurations',
  exhausted: 'its space has no new point',
  stopped: 'a rule of `stop` holds',
};

/** `12 of 40 configurations; at most 28 trials to come`. After the last decision its trials may still run. */
export const searchText = ({ ended, configurations, proposed, trialsToCome }: SearchProgress): string => {
  const count = `${proposed} of ${plural(configurations, 'configuration')}`;
  if (ended) return `${count}; it decides no more: ${ends[ended]}`;
  return `${count}; at most ${plural(trialsToCome, 'trial')} to come`;
};

/** `data      glyphs: 2,000 training, 1,000 test, at most 200 attacked images` */
export const datasetLine = ({
  name,
  train,
  test,
  attack,
}: Pick<SweepDetail['definition']['dataset'], 'name' | 'train' | 'test' | 'attack'>): string =>
  `data      ${name}: ${formatAmount(train)} training, ${formatAmount(test)} test, at most ${formatAmount(attack)} attacked images`;

/** `12 trained of about 24 planned, 3 of them in other sweeps; 40 without sharing`. A search that goes on decides how many more there are. */
const epochsText = (sweep: Sweep): string => {
  const { done, total } = epochsOf(sweep);
  const about = sweep.search?.ended === null && timeTaken(sweep) === null ? 'about ' : '';
  const { unshared } = sweep.plan.epochs;
  return [
    [`${done} trained of ${about}${total} planned`, elsewhereText(sweep) ?? []].flat().join(', '),
    ...(sharingOf(sweep) === null ? [] : [`${unshared} without sharing`]),
  ].join('; ');
};

export const describeSweep = (sweep: SweepDetail): string => {
  const { tags = [], notes = '' } = sweep;
  const { dataset, recipes, search } = sweep.definition;
  const order = StageKind.options;
  const stages = [...sweep.stages]
    .sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind))
    .map(({ kind, status, count }) => `  ${kind.padEnd(10)} ${status.padEnd(10)} ${count}`);
  return [
    `${sweep.name} (${sweep.id})`,
    `status    ${statusText(sweep.status)}, ${formatProgress(sweep.progress)}${timeText(sweep)}`,
    ...(tags.length > 0 ? [`tags      ${tagsText(tags)}`] : []),
    datasetLine(dataset),
    `recipes   ${recipes.join(', ')}`,
    ...(sweep.search ? [`search    ${search.strategy}: ${searchText(sweep.search)}`] : []),
    `trials    ${countsText(sweep.trials)}`,
    ...bestLines(sweep),
    `epochs    ${epochsText(sweep)}`,
    'stages',
    ...stages,
    ...(notes === '' ? [] : ['notes', ...notes.split('\n').map((line) => `  ${line}`.trimEnd())]),
    ...describeWaits(sweep),
    ...describeNextStep(sweep),
  ].join('\n');
};
