/** The part of the findings on a search beyond the paper: is there a FUNN setting that is clearly harder to fool than the classic net? */

import { plural } from '@funnel/contracts';
import type { Figure } from '@funnel/figures';
import { choicesOf, valueText } from '../choices.ts';
import { ran } from '../conditions.ts';
import { bullets, distance, list, percent, picture, table } from '../format.ts';
import type { SweepResults } from '../results.ts';
import { type Candidate, candidatesOf, compare, type Ratio, ratioOf, referenceOf } from './candidates.ts';
import { drawScatter } from './scatter.ts';

/** What a setting must reach: this ratio, with every check ok, over so many seeds. */
const wantedRatio = 1.5;
const wantedSeeds = 3;
const shown = 10;
/** Clean accuracies that differ by no more count as about the same. */
const sameAccuracy = 0.01;

export type Rated = Candidate & { readonly number: number; readonly ratio: Ratio | null };

export type Beyond = {
  readonly reference: Candidate | null;
  /** FUNN, the greatest ratio first. */
  readonly funn: readonly Rated[];
  /** All other recipes. */
  readonly others: readonly Rated[];
};

export const beyondOf = (sweeps: readonly SweepResults[], baselines: readonly SweepResults[]): Beyond => {
  const candidates = candidatesOf([...sweeps, ...baselines]);
  const reference = referenceOf(candidates) ?? null;
  const rated = (isFunn: boolean): Rated[] =>
    candidates
      .filter(({ configuration: { recipe } }) => (recipe === 'funn') === isFunn)
      .map((one) => ({ ...one, ratio: reference && ratioOf(one, reference) }))
      .toSorted((a, b) => compare(b.ratio?.value ?? b.medianL2, a.ratio?.value ?? a.medianL2))
      .map((one, i) => ({ number: i + 1, ...one }));
  return { reference, funn: rated(true), others: rated(false) };
};

const ratioText = (ratio: Ratio | null): string => {
  if (ratio === null) return '–';
  const value = Number.isFinite(ratio.value) ? ratio.value.toFixed(2) : '∞';
  return ratio.interval === null ? `× ${value}` : `× ${value} [${ratio.interval.map(distance).join(', ')}]`;
};

const text = ({ number, medianL2, ratio, cleanAccuracy, verdict, medians }: Rated): string =>
  `setting ${number} (median L2 ${distance(medianL2)}, ${ratioText(ratio)}, clean accuracy ${percent(cleanAccuracy)}, ${verdict}, ${plural(medians.length, 'seed')})`;

const reaches = ({ ratio }: Rated): boolean => ratio !== null && ratio.value >= wantedRatio;

const answer = ({ funn, reference }: Beyond): string[] => {
  if (reference === null)
    return ['No classic auto-encoder has a value in these sweeps, so there is nothing to compare FUNN with.'];
  if (funn.length === 0) return ['No FUNN setting has a value in these sweeps.'];
  const sound = funn.filter(({ verdict }) => verdict === 'ok');
  const found = sound.find((one) => reaches(one) && one.medians.length >= wantedSeeds);
  const question = `a FUNN setting with at least × ${wantedRatio} the median L2 of the classic auto-encoder (${distance(reference.medianL2)}), every check ok, over ${wantedSeeds} seeds`;
  if (found) return [`**There is ${question}: ${text(found)}.**`];
  const flagged = funn.filter((one) => reaches(one) && one.verdict !== 'ok');
  const few = sound.filter((one) => reaches(one) && one.medians.length < wantedSeeds);
  return [
    `**There is not ${question}** among ${plural(funn.length, 'setting')}.${sound[0] ? ` The best with every check ok is ${text(sound[0])}.` : ` No setting has every check ok; the greatest ratio is that of ${text(funn[0]!)}.`}`,
    ...(few.length > 0
      ? [`These reach the ratio, but with fewer seeds: ${list(few.slice(0, shown).map(text))}.`]
      : []),
    ...(flagged.length > 0
      ? [
          `${plural(flagged.length, 'setting reaches', 'settings reach')} the ratio, but with a verdict that says that the attacks may be misled or the numbers say too little: ${list(flagged.slice(0, shown).map(text))}.`,
        ]
      : []),
  ];
};

const poorReference = ({ reference }: Beyond): string[] =>
  reference === null || reference.verdict === 'ok'
    ? []
    : [
        `The verdict of this classic auto-encoder is ${reference.verdict}, so its median L2, and every ratio to it, may mislead.`,
      ];

/** Adversarial training and TRADES at about the clean accuracy of the best sound setting. */
const besideBaselines = ({ funn, others }: Beyond): string[] => {
  const best = funn.find(({ verdict }) => verdict === 'ok') ?? funn[0];
  if (best === undefined) return [];
  return (['adversarial-training', 'trades'] as const).flatMap((recipe) => {
    const own = others.filter(({ configuration }) => configuration.recipe === recipe);
    const gap = ({ cleanAccuracy }: Rated): number => Math.abs(cleanAccuracy - best.cleanAccuracy);
    const [nearest] = own.toSorted((a, b) => gap(a) - gap(b));
    if (nearest === undefined) return [];
    const where =
      gap(nearest) <= sameAccuracy ? 'at about the same clean accuracy' : 'at the nearest clean accuracy';
    return [
      `\`${recipe}\` ${where} (${percent(nearest.cleanAccuracy)} against ${percent(best.cleanAccuracy)}) has a median L2 of ${distance(nearest.medianL2)} (${nearest.verdict}); FUNN setting ${best.number} has ${distance(best.medianL2)}.`,
    ];
  });
};

const short = (value: string): string =>
  Number.isFinite(Number(value)) ? String(Number(Number(value).toPrecision(4))) : value;

const valuesTable = (rated: readonly Rated[]): string => {
  const choices = choicesOf(rated.map(({ configuration }) => configuration));
  const first = rated.slice(0, shown);
  const row = (title: string, cell: (one: Rated) => string) => [title, ...first.map(cell)];
  return table(
    ['setting', ...first.map(({ number }) => String(number))],
    [
      row('median L2', ({ medianL2 }) => distance(medianL2)),
      row('ratio', ({ ratio }) => ratioText(ratio)),
      row('seeds', ({ medians }) => String(medians.length)),
      row('clean accuracy', ({ cleanAccuracy }) => percent(cleanAccuracy)),
      row('verdict', ({ verdict }) => verdict),
      row('trial', ({ configuration }) => `\`${configuration.trials[0]}\``),
      ...choices.map(({ name, title }) =>
        row(title, ({ configuration: { hyperparameters } }) =>
          name in hyperparameters ? valueText(name, hyperparameters).split(' ').map(short).join(' ') : '–',
        ),
      ),
    ],
    first.map((_, i) => i + 1),
  );
};

const othersTable = (others: readonly Rated[]): string =>
  table(
    ['recipe', 'trial', 'seeds', 'clean accuracy', 'median L2', 'ratio', 'verdict'],
    others.map(({ configuration, medians, cleanAccuracy, medianL2, ratio, verdict }) => [
      configuration.recipe,
      `\`${configuration.trials[0]}\``,
      String(medians.length),
      percent(cleanAccuracy),
      distance(medianL2),
      ratioText(ratio),
      verdict,
    ]),
    [2, 3, 4, 5],
  );

const attacksOf = (sweeps: readonly SweepResults[]): string =>
  list([
    ...new Set(
      sweeps.flatMap(({ results }) =>
        results.flatMap(({ trial }) => trial.evaluations.map(({ attack }) => attack)),
      ),
    ),
  ]);

export const beyondSections = (
  data: Beyond,
  sweeps: readonly SweepResults[],
  baselines: readonly SweepResults[],
): { readonly sections: readonly string[]; readonly figures: readonly Figure[] } => {
  const all = [...data.funn, ...data.others];
  const others = data.others.filter(
    ({ configuration }) =>
      configuration.recipe !== 'classic' || configuration === data.reference?.configuration,
  );
  const figure = all.length > 0 ? drawScatter(all, 'img/findings-beyond.svg') : null;
  return {
    figures: figure ? [figure] : [],
    sections: [
      '## Beyond the paper',
      ...sweeps.map((sweep) => ran(sweep, 'examples/beyond.yaml')),
      ...baselines.map((sweep) => ran(sweep, 'examples/baselines.yaml')),
      `*median L2*: the median over the attacked images of the smallest change that any attack found (${attacksOf([...sweeps, ...baselines])}), where a failure counts as infinity; then the median over seeds. *ratio*: the geometric mean over seeds, divided by that of the classic auto-encoder with the greatest median L2; Welch’s 95 % interval over seeds, none for one seed. Only trials of the highest rung count. *verdict*: the worst over seeds.`,
      bullets([...answer(data), ...poorReference(data), ...besideBaselines(data)]),
      ...(figure ? [picture(figure)] : []),
      ...(data.funn.length > 0 ? ['### FUNN', valuesTable(data.funn)] : []),
      ...(others.length > 0 ? ['### Other recipes', othersTable(others)] : []),
    ],
  };
};
