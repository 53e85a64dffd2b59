/** One trial as text: its hyperparameters, stages, evaluations, and the reasons of its verdict. */
import {
  checkLabel,
  checkRemedy,
  checksText,
  coresText,
  countReason,
  countVerdicts,
  describeChanges,
  type Evaluation,
  eachCheck,
  formatBytes,
  formatDuration,
  formatExact,
  type HyperparameterValue,
  hyperparameterNames,
  isFixed,
  plural,
  type SearchSpace,
  type Stage,
  singleStepText,
  type TrialDetail,
  totalOf,
  totalUsage,
  type Usage,
  usageText,
  type Verdict,
  verdictText,
  wilsonInterval,
  worstFirst,
} from '@funnel/contracts';
import { evaluationTable, worstCaseLine } from './evaluations.ts';
import { formatColumns, formatShare, formatSureShare, formatTable } from './format.ts';
import { cutToWidth, wrapToWidth } from './width.ts';

type ClassRow = { readonly name: string; readonly images: number; readonly correct: number };

const accuracyOf = ({ images, correct }: ClassRow): number | null => (images === 0 ? null : correct / images);

const classText = (row: ClassRow): string => {
  const accuracy = accuracyOf(row);
  return accuracy === null ? '–' : formatSureShare(accuracy, wilsonInterval(row.correct, row.images));
};

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
      { title: 'clean accuracy', value: classText, align: 'right' },
    ],
    isCut ? lowest : all,
  );
  const note = `the ${lowest.length} classes of ${all.length} with the lowest accuracy; \`npx funnel export classes\` has all`;
  return ['', table, ...(isCut ? [note] : [])];
};

/** A dash for a stage whose attempts measured nothing; empty for one without attempts. */
const measured = ({ usage, attempts }: Stage, textOf: (usage: Usage) => string): string =>
  usage ? textOf(usage) : attempts > 0 ? '–' : '';

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
      { title: 'cores', value: (stage) => measured(stage, coresText), align: 'right' },
      {
        title: 'memory',
        value: (stage) => measured(stage, ({ peakBytes }) => formatBytes(peakBytes)),
        align: 'right',
      },
      ...(stages.some(({ attempts }) => attempts > 1)
        ? [{ title: 'attempts', value: ({ attempts }: Stage) => String(attempts), align: 'right' as const }]
        : []),
      { title: 'shared by', value: ({ sharedBy }) => String(sharedBy), align: 'right' },
    ],
    stages,
  );

/** The use of the machine by all stages of a trial, also by those that it shares. */
const usageLines = (stages: readonly Stage[]): readonly string[] => {
  const usage = totalUsage(stages.map((stage) => stage.usage));
  return usage === null ? [] : [`${usageText(usage)} of memory (the trainers of these stages)`];
};

/** Says why the numbers of an untrained trial, or one with too few images, say nothing, and what to do. */
const verdictLines = ({ verdict, perClass, data }: TrialDetail): readonly string[] => {
  if (verdict !== 'untrained' && verdict !== 'too-few') return [];
  const reason = countReason(verdict, perClass && totalOf(perClass), data.classes.length);
  return [`! ${verdictText(verdict)}: ${reason}: ${countVerdicts[verdict].remedy}`];
};

/** `55.6 % (45.3–65.4), 50 of 90 test images`; without the counts of a trial that an older version trained. */
const cleanText = ({ cleanAccuracy, perClass }: TrialDetail): string => {
  if (cleanAccuracy === null) return '– (not measured yet)';
  if (!perClass) return `${formatShare(cleanAccuracy)} (of the test images of the sweep)`;
  const { correct, images, interval } = totalOf(perClass);
  return `${formatSureShare(cleanAccuracy, interval)}, ${correct} of ${plural(images, 'test image')}`;
};

const errorsOf = (stages: readonly Stage[]): string[] =>
  stages.flatMap(({ kind, error }) => (error ? [`${kind}: ${error.code}: ${error.message}`] : []));

/** The names of the hyperparameters to which the space of a sweep gives several values. */
export const sweptIn = (space: SearchSpace): readonly string[] =>
  Object.entries(space).flatMap(([name, dimension]) =>
    dimension === undefined || isFixed(dimension) ? [] : [name],
  );

/** Columns of a terminal whose width is unknown. */
const usualWidth = 80;

/** The swept hyperparameters, then all others in columns. */
const hyperparameterLines = (
  { hyperparameters }: TrialDetail,
  swept: readonly string[],
  width: number,
): readonly string[] => {
  const textOf = ([name, value]: readonly [string, HyperparameterValue]) => `${name}=${formatExact(value)}`;
  const entries = Object.entries(hyperparameters);
  const isSwept = ([name]: readonly [string, HyperparameterValue]) => swept.includes(name);
  const first = entries.filter(isSwept).sort(([a], [b]) => swept.indexOf(a) - swept.indexOf(b));
  const places = new Map<string, number>(hyperparameterNames.map((name, place) => [name, place]));
  const others = entries
    .filter((entry) => !isSwept(entry))
    .sort(([a], [b]) => (places.get(a) ?? 0) - (places.get(b) ?? 0)) // the order of the declarations, in which the recipes read them
    .map(textOf);
  return [
    ...(first.length > 0 ? [wrapToWidth(`swept  ${first.map(textOf).join('  ')}`, width)] : []),
    ...(others.length > 0 ? ['', ...formatColumns(others, width)] : []),
  ];
};

type Reason = {
  readonly verdict: Verdict;
  readonly check: string;
  readonly detail: string;
  readonly remedy: string;
  attacks: string[];
};

/** Why the verdicts are not `ok`, the worst first: each check once, with the attacks that it is about. */
const reasonsOf = (evaluations: readonly Evaluation[]): readonly Reason[] => {
  const reasons = new Map<string, Reason>();
  for (const { attack, diagnostics } of evaluations)
    for (const { id, verdict, detail } of diagnostics) {
      if (verdict === 'ok') continue;
      const key = `${id} ${verdict} ${detail}`;
      const reason = reasons.get(key) ?? {
        ...{ verdict, check: checkLabel(id), detail, remedy: checkRemedy(id), attacks: [] },
      };
      if (!reason.attacks.includes(attack)) reason.attacks.push(attack);
      reasons.set(key, reason);
    }
  return [...reasons.values()].sort((a, b) => worstFirst(a.verdict, b.verdict));
};

/** One line for each check that failed; with `why`, its whole sentence and what to do. */
const reasonLines = ({ id, evaluations }: TrialDetail, { why = false, width = null }: Options) => {
  const reasons = reasonsOf(evaluations);
  const lines = reasons.flatMap(({ verdict, check, detail, remedy, attacks }) => {
    const line = `! ${verdict}: ${check} under ${attacks.join(', ')}: ${detail}`;
    if (why) return [wrapToWidth(line, width), wrapToWidth(`→ ${remedy}`, width)];
    return [width === null ? line : cutToWidth(line, width)];
  });
  if (why || lines.length === 0) return lines;
  const isCut = lines.some((line) => line.endsWith('…'));
  return [
    ...lines,
    `→ \`npx funnel show ${id} --why\` ${isCut ? 'has the whole reasons, and says' : 'says'} what to do.`,
  ];
};

type Options = {
  /** The hyperparameters that differ within the sweep. (Default: not known) */
  readonly swept?: readonly string[];
  /** The columns of the terminal; null if the output is none. (Default: null) */
  readonly width?: number | null;
  /** Whole reasons of verdicts instead of one line for each. (Default: false) */
  readonly why?: boolean;
};

export const describeTrial = (trial: TrialDetail, options: Options = {}): string => {
  const { swept = [], width = null } = options;
  return [
    `trial ${trial.id} (number ${trial.number} of sweep ${trial.sweepId})`,
    `${trial.recipe} on ${trial.dataset}, seed ${trial.seed}: ${trial.status}, clean accuracy ${cleanText(trial)}`,
    ...verdictLines(trial).map((line) => wrapToWidth(line, width)),
    ...hyperparameterLines(trial, swept, width ?? usualWidth),
    '',
    stageTable(trial.stages),
    ...usageLines(trial.stages),
    ...(trial.evaluations.length > 0 ? ['', evaluationTable(trial.evaluations, width)] : []),
    ...(trial.worstCase && trial.evaluations.length > 1
      ? [wrapToWidth(worstCaseLine(trial, trial.worstCase), width)]
      : []),
    ...[singleStepText(trial.evaluations) ?? []].flat().map((text) => wrapToWidth(text, width)),
    ...(trial.evaluations.length > 0
      ? [wrapToWidth(`checks: ${checksText(eachCheck(trial.evaluations))}`, width)]
      : []),
    ...reasonLines(trial, options),
    ...classLines(trial),
    ...(trial.older ? [`! made by another version: ${describeChanges(trial.older)}`] : []),
    ...trial.warnings.map((warning) => wrapToWidth(`! ${warning}`, width)),
    ...errorsOf(trial.stages).map((error) => `✗ ${error}`),
  ].join('\n');
};
