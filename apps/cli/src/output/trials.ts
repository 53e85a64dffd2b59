/** Trials and the stages of a trial as text. */
import {
  type AttackName,
  attackSpec,
  attacks,
  countVerdictTexts,
  describeChanges,
  fractionText,
  type HyperparameterName,
  type HyperparameterValue,
  readExtended,
  type Stage,
  type StageLogLine,
  type Trial,
  type TrialDetail,
  verdictText,
  withinText,
} from '@funnel/contracts';
import {
  type Column,
  formatDuration,
  formatNumber,
  formatSecond,
  formatShare,
  formatTable,
} from './format.ts';

type Run = { readonly attack: AttackName; readonly settings: Readonly<Record<string, unknown>> };

/** A success rate means nothing without these: the size of the change, and whether the attack searched for a smaller one. */
const always = new Set(['epsilon', 'search']);

/** The settings in `always`, and all others that differ from the attack's defaults. */
export const settingsText = ({ attack, settings }: Run): string => {
  const defaults: Readonly<Record<string, unknown>> = attackSpec(attack).settings;
  return Object.keys(attacks[attack].settings.shape)
    .map((name) => ({ name, value: settings[name], text: JSON.stringify(settings[name]) }))
    .filter(({ name, text }) => text && (always.has(name) || text !== JSON.stringify(defaults[name])))
    .map(
      ({ name, value, text }) =>
        `${name}=${typeof value === 'string' ? value : typeof value === 'number' ? fractionText(value) : text}`,
    )
    .join(' ');
};

type HasHyperparameters = { readonly hyperparameters: Readonly<Record<string, HyperparameterValue>> };

/** Hyperparameters whose columns come first. */
const firstShown: readonly HyperparameterName[] = ['gamma', 'beta'];

/** More columns do not fit into a terminal. `funnel export` has all of them. */
const maxHyperparameters = 6;

const hyperparameterText = (value: HyperparameterValue | undefined): string => {
  if (value === undefined) return '–';
  return typeof value === 'number' ? formatNumber(value) : String(value);
};

/** A column for each hyperparameter whose values differ between the rows that have it. Equal values would not help to distinguish rows. */
export const differingHyperparameters = <Row extends HasHyperparameters>(
  rows: readonly Row[],
): Column<Row>[] => {
  const names = [...new Set(rows.flatMap(({ hyperparameters }) => Object.keys(hyperparameters)))];
  const values = (name: string) => rows.flatMap(({ hyperparameters }) => hyperparameters[name] ?? []);
  const differing = names.filter((name) => new Set(values(name)).size > 1);
  const ordered = [
    ...firstShown.filter((name) => differing.includes(name)),
    ...differing.filter((name) => !firstShown.includes(name as HyperparameterName)),
  ];
  return ordered.slice(0, maxHyperparameters).map((name) => ({
    title: name,
    value: ({ hyperparameters }) => hyperparameterText(hyperparameters[name]),
    align: 'right',
  }));
};

/** The trials of one sweep: the hyperparameters that differ, and the status of each. */
export const describeTrials = (trials: readonly Trial[]): string =>
  trials.length === 0
    ? 'No trial matches.'
    : formatTable<Trial>(
        [
          { title: '#', value: ({ number }) => String(number), align: 'right' },
          { title: 'trial', value: ({ id }) => id },
          { title: 'recipe', value: ({ recipe }) => recipe },
          ...differingHyperparameters(trials),
          { title: 'seed', value: ({ seed }) => String(seed), align: 'right' },
          { title: 'status', value: ({ status }) => status },
          { title: 'clean', value: ({ cleanAccuracy }) => formatShare(cleanAccuracy), align: 'right' },
          { title: 'attacks', value: ({ evaluations }) => String(evaluations.length), align: 'right' },
          { title: 'verdict', value: ({ verdict }) => (verdict ? verdictText(verdict) : '–') },
        ],
        trials,
      );

type Evaluation = Trial['evaluations'][number];

/** For defences that reject images. A rejected clean image is not attacked. A rejected attacked image counts as defended. */
const rejectionColumns: readonly Column<Evaluation>[] = [
  {
    title: 'rejected clean',
    value: ({ summary }) => formatShare(summary.rejectedClean),
    align: 'right',
  },
  {
    title: 'rejected attacked',
    value: ({ summary }) => formatShare(summary.rejectedAttacked),
    align: 'right',
  },
];

/** `40 of 78 (51.3 %)`: of the correctly classified images. */
const fooledText = ({ successes, attempted, successRate }: Evaluation['summary']): string =>
  `${successes} of ${attempted}${successRate === null ? '' : ` (${formatShare(successRate)})`}`;

/** `38 of 100 (38.0 %)`: of all images; a dash for an attack without a fixed ε. */
const robustText = ({ attempted, successes, images, robustAccuracy }: Evaluation['summary']): string =>
  robustAccuracy === null ? '–' : `${attempted - successes} of ${images} (${formatShare(robustAccuracy)})`;

const evaluationTable = (evaluations: readonly Evaluation[]): string =>
  formatTable<Evaluation>(
    [
      { title: 'attack', value: ({ attack }) => attack },
      { title: 'settings', value: settingsText },
      { title: 'fooled', value: ({ summary }) => fooledText(summary), align: 'right' },
      { title: 'robust', value: ({ summary }) => robustText(summary), align: 'right' },
      ...(evaluations.some(({ summary }) => summary.rejectedClean !== undefined) ? rejectionColumns : []),
      { title: 'median L2', value: ({ summary }) => formatNumber(summary.medianL2), align: 'right' },
      { title: 'noise level', value: ({ summary }) => formatNumber(summary.noiseLevel), align: 'right' },
      { title: 'verdict', value: ({ verdict }) => verdict },
    ],
    evaluations,
  );

const worstCaseLine = ({ within, values }: NonNullable<Trial['worstCase']>): string =>
  `worst case over these attacks${withinText(within)}: robust ${formatShare(readExtended(values.robustAccuracy))}, median L2 ${formatNumber(values.medianL2)}`;

type ClassRow = { readonly name: string; readonly images: number; readonly correct: number };

const accuracyOf = ({ images, correct }: ClassRow): number | null => (images === 0 ? null : correct / images);

/** More classes do not fit into a terminal. `funnel export classes` has all of them. */
const maxClasses = 20;

/** The clean accuracy of each class in the order of the data set; of many classes those with the lowest. */
const classLines = ({ perClass, data }: TrialDetail): readonly string[] => {
  if (!perClass) return [];
  const all = data.classes.map(
    (name, label): ClassRow => ({
      name,
      images: perClass.images[label]!,
      correct: perClass.correct[label]!,
    }),
  );
  const lowest = all
    .filter(({ images }) => images > 0)
    .sort((a, b) => accuracyOf(a)! - accuracyOf(b)!)
    .slice(0, maxClasses);
  const isCut = all.length > maxClasses;
  const table = formatTable<ClassRow>(
    [
      { title: 'class', value: ({ name }) => name },
      { title: 'test images', value: ({ images }) => String(images), align: 'right' },
      { title: 'clean accuracy', value: (row) => formatShare(accuracyOf(row)), align: 'right' },
    ],
    isCut ? lowest : all,
  );
  const note = `the ${lowest.length} classes of ${all.length} with the lowest accuracy; \`npx funnel export classes\` has all`;
  return ['', table, ...(isCut ? [note] : [])];
};

const stageTable = (stages: readonly Stage[]): string =>
  formatTable<Stage>(
    [
      { title: 'stage', value: ({ id }) => id.slice(0, 12) },
      { title: 'kind', value: ({ kind, attack }) => (attack ? `${kind} ${attack.attack}` : kind) },
      { title: 'status', value: ({ status }) => status },
      { title: 'epochs', value: ({ epochs }) => (epochs === 0 ? '' : String(epochs)), align: 'right' },
      {
        title: 'time',
        value: ({ seconds }) => (seconds === null ? '' : formatDuration(seconds)),
        align: 'right',
      },
      { title: 'attempts', value: ({ attempts }) => String(attempts), align: 'right' },
      { title: 'shared by', value: ({ sharedBy }) => String(sharedBy), align: 'right' },
    ],
    stages,
  );

const errorsOf = (stages: readonly Stage[]): string[] =>
  stages.flatMap(({ kind, error }) => (error ? [`${kind}: ${error.code}: ${error.message}`] : []));

/** Says why the numbers of an untrained trial, or one with too few images, say nothing, and what to do. */
const verdictNote = ({ verdict }: TrialDetail): string =>
  verdict === 'untrained' || verdict === 'too-few'
    ? `\n! ${verdictText(verdict)}: ${countVerdictTexts[verdict]}`
    : '';

export const describeTrial = (trial: TrialDetail): string =>
  [
    `trial ${trial.id} (number ${trial.number} of sweep ${trial.sweepId})`,
    `${trial.recipe} on ${trial.dataset}, seed ${trial.seed}: ${trial.status}, clean accuracy ${formatShare(trial.cleanAccuracy)} (all test images)${verdictNote(trial)}`,
    Object.entries(trial.hyperparameters)
      .map(([name, value]) => `${name}=${value}`)
      .join(' '),
    '',
    stageTable(trial.stages),
    ...(trial.evaluations.length > 0 ? ['', evaluationTable(trial.evaluations)] : []),
    ...(trial.worstCase && trial.evaluations.length > 1 ? [worstCaseLine(trial.worstCase)] : []),
    ...classLines(trial),
    ...(trial.older ? [`! made by another version: ${describeChanges(trial.older)}`] : []),
    ...trial.warnings.map((warning) => `! ${warning}`),
    ...errorsOf(trial.stages).map((error) => `✗ ${error}`),
  ].join('\n');

export type StageLog = { readonly stage: Stage; readonly lines: readonly StageLogLine[] };

const levelMarks = { info: ' ', warn: '!', error: '✗' } as const;

/** One event of a stage; the stack of an error is indented below it. */
const lineText = ({ at, attempt, level, message, detail }: StageLogLine): string => {
  const who = attempt === null ? '' : `attempt ${attempt} `;
  const stack = detail === null ? '' : `\n${detail.replaceAll(/^/gm, '      ')}`;
  return `${levelMarks[level]} ${formatSecond(at)}  ${who}${message}${stack}`;
};

/** For each stage a line that names it, then its events, oldest first. */
export const describeLogs = (logs: readonly StageLog[]): string =>
  logs
    .map(({ stage: { kind, attack, status, id }, lines }) =>
      [
        `${kind}${attack ? ` ${attack.attack}` : ''}: ${status} (stage ${id})`,
        ...(lines.length > 0 ? lines.map(lineText) : ['  nothing has happened yet']),
      ].join('\n'),
    )
    .join('\n\n');
