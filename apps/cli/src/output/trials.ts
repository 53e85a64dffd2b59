/** Trials and the stages of a trial as text. */
import {
  type AttackName,
  attackSpec,
  attacks,
  cleanAccuracyInterval,
  type DistanceMetricName,
  fractionText,
  type HyperparameterName,
  type HyperparameterValue,
  isDistance,
  objectiveOf,
  objectiveValue,
  type ResolvedObjective,
  type Stage,
  type StageLogLine,
  type StoredDefinition,
  type Trial,
  verdictText,
} from '@funnel/contracts';
import { type Column, formatHyperparameter, formatSecond, formatSureShare, formatTable } from './format.ts';
import { sureText, titleOf } from './metrics.ts';

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

/** The distance by which a sweep ranks its trials: its interval costs the API more than that of a share. */
export const rankingDistance = (definition: StoredDefinition): DistanceMetricName | undefined => {
  const { metric } = objectiveOf(definition);
  return isDistance(metric) ? metric : undefined;
};

type HasHyperparameters = { readonly hyperparameters: Readonly<Record<string, HyperparameterValue>> };

/** Hyperparameters whose columns come first. */
const firstShown: readonly HyperparameterName[] = ['gamma', 'beta'];

/** More columns do not fit into a terminal. `funnel export` has all of them. */
const maxHyperparameters = 6;

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
    value: ({ hyperparameters }) => formatHyperparameter(hyperparameters[name]),
    align: 'right',
  }));
};

/** The value by which a sweep ranks its trials. None for the clean accuracy, which has a column of its own. */
const objectiveColumns = (objective: ResolvedObjective): readonly Column<Trial>[] => {
  const { run, metric } = objective;
  if (metric === 'cleanAccuracy') return [];
  return [
    {
      title: `${titleOf(metric)}${run ? `, ${run.attack}` : ''}`,
      value: (trial) => {
        const { value, interval } = objectiveValue(trial, objective);
        return sureText(metric, value, interval);
      },
      align: 'right',
    },
  ];
};

/**
 * The trials of one sweep: the hyperparameters that differ, as many as `width` has room for, and the status and the values of each, with 95 %
 * intervals.
 */
export const describeTrials = (
  trials: readonly Trial[],
  definition: StoredDefinition,
  width: number | null = null,
): string =>
  trials.length === 0
    ? 'No trial matches.'
    : formatTable<Trial>(
        [
          { title: '#', value: ({ number }) => String(number), align: 'right' },
          { title: 'trial', value: ({ id }) => id },
          { title: 'recipe', value: ({ recipe }) => recipe },
          ...differingHyperparameters(trials).map((column) => ({ ...column, isOptional: true })),
          { title: 'seed', value: ({ seed }) => String(seed), align: 'right' },
          { title: 'status', value: ({ status }) => status },
          {
            title: 'clean',
            value: ({ cleanAccuracy: clean }) =>
              formatSureShare(clean, cleanAccuracyInterval(clean, definition.dataset.test)),
            align: 'right',
          },
          ...objectiveColumns(objectiveOf(definition)),
          {
            title: 'attacks',
            value: ({ evaluations }) => String(evaluations.length),
            align: 'right',
            isOptional: true,
          },
          { title: 'verdict', value: ({ verdict }) => (verdict ? verdictText(verdict) : '–') },
        ],
        trials,
        width,
      );

export type StageLog = { readonly stage: Stage; readonly lines: readonly StageLogLine[] };

const levelMarks = { info: ' ', warn: '!', error: '✗' } as const;

/** One line of a log; `about` stands before it, and the stack of an error is indented below it. */
export const logLineText = ({ at, attempt, level, message, detail }: StageLogLine, about = ''): string => {
  const who = attempt === null ? about : `${about}attempt ${attempt} `;
  const stack = detail === null ? '' : `\n${detail.replaceAll(/^/gm, '      ')}`;
  return `${levelMarks[level]} ${formatSecond(at)}  ${who}${message}${stack}`;
};

/** For each stage a line that names it, then its events, oldest first. */
export const describeLogs = (logs: readonly StageLog[]): string =>
  logs
    .map(({ stage: { kind, attack, status, id }, lines }) =>
      [
        `${kind}${attack ? ` ${attack.attack}` : ''}: ${status} (stage ${id})`,
        ...(lines.length > 0 ? lines.map((line) => logLineText(line)) : ['  nothing has happened yet']),
      ].join('\n'),
    )
    .join('\n\n');
