/** Sentences on the numbers: FUNN against the plain auto-encoder, and both against the paper. A sentence appears only if the numbers support it. */

import { median, wilsonInterval } from '@funnel/attacks/statistics';
import { checkLabel } from '@funnel/contracts';
import { shareOfTraining } from '../conditions.ts';
import { distance, list, number, percent, percentage, table } from '../format.ts';
import {
  agrees,
  baselineOf,
  type Configuration,
  type Measured,
  noiseAgrees,
  printedOf,
} from '../measured.ts';
import { type Printed, printedShare } from '../printed.ts';
import type { SweepResults } from '../results.ts';

/**
 * The change under one attack from the plain auto-encoder to FUNN of the same architecture. `success` is the difference of the shares.
 * `factor`: for each seed that both have, the ratio of the median L2; of these ratios the smallest, the median and the largest.
 */
export type Shift = {
  readonly title: string;
  readonly success: number;
  /** True when their two intervals, each over the images of all seeds, do not overlap. */
  readonly clear: boolean;
  /** Null when no seed has a finite median in both. */
  readonly factor: readonly [number, number, number] | null;
};

const factors = (ours: Measured, base: Measured): Shift['factor'] => {
  const all = [...ours.medians].flatMap(([seed, value]) => {
    const other = base.medians.get(seed);
    return other !== undefined && Number.isFinite(value) && Number.isFinite(other) && other > 0
      ? [value / other]
      : [];
  });
  const middle = median(all);
  return middle === null ? null : [Math.min(...all), middle, Math.max(...all)];
};

const shift = (title: string, ours: Measured, base: Measured): Shift => ({
  title,
  success: ours.success.mean - base.success.mean,
  clear: ours.pooled[0] > base.pooled[1] || ours.pooled[1] < base.pooled[0],
  factor: factors(ours, base),
});

export type Comparison = {
  readonly configuration: Configuration;
  readonly baseline: Configuration;
  readonly shifts: readonly Shift[];
};

export const comparisonsOf = (configurations: readonly Configuration[]): Comparison[] =>
  configurations
    .filter(({ recipe }) => recipe === 'funn')
    .flatMap((configuration) => {
      const baseline = baselineOf(configuration, configurations);
      if (!baseline) return [];
      const shifts = configuration.rows.flatMap(({ printed, measured }, i) => {
        const base = baseline.rows[i]!.measured;
        return measured && base ? [shift(printed.title, measured, base)] : [];
      });
      return shifts.length > 0 ? [{ configuration, baseline, shifts }] : [];
    });

const points = (share: number): string => {
  const text = (100 * share).toFixed(1);
  return Number(text) > 0 ? `+${text}` : text.replace('-0.0', '0.0');
};

export const describeFactor = ([low, middle, high]: NonNullable<Shift['factor']>): string =>
  low === high ? `× ${middle.toFixed(2)}` : `× ${middle.toFixed(2)} (${low.toFixed(2)} … ${high.toFixed(2)})`;

export const describeComparison = ({ configuration, baseline, shifts }: Comparison): string =>
  [
    `### \`${configuration.name}\` against \`${baseline.name}\``,
    '',
    '*success*: the difference of the mean success rates. *clear*: yes where the two intervals over the images do not overlap. *factor*: for each seed, the median L2 divided by the median L2 of the baseline; the table shows the median of these ratios, with the smallest and the largest in parentheses.',
    '',
    table(
      ['attack', 'success, points', 'clear', 'median L2, factor'],
      shifts.map(({ title, success, clear, factor }) => [
        title,
        points(success),
        clear ? 'yes' : 'no',
        factor === null ? '–' : describeFactor(factor),
      ]),
      [1, 3],
    ),
  ].join('\n');

type Judged = {
  readonly title: string;
  readonly printed: Printed;
  readonly measured: Measured;
  readonly agrees: boolean;
};

const judge = (configuration: Configuration): Judged[] =>
  configuration.rows.flatMap((row) => {
    const printed = printedOf(configuration, row);
    const { measured } = row;
    if (!printed || !measured) return [];
    return [{ title: row.printed.title, printed, measured, agrees: agrees(printed, measured) }];
  });

const find = (configuration: Configuration, title: string): Judged | undefined =>
  judge(configuration).find((one) => one.title === title);

const agreement = (configuration: Configuration): string[] => {
  const judged = judge(configuration);
  if (judged.length === 0) return [];
  const [same, other] = [judged.filter((one) => one.agrees), judged.filter((one) => !one.agrees)];
  const name = `**\`${configuration.name}\`**: ${same.length} of ${judged.length} rows with a printed success rate agree`;
  const which = same.length > 0 ? ` (${list(same.map(({ title }) => title))})` : '';
  const rest = other.map(
    ({ title, printed, measured }) =>
      `${title} (printed ${printedShare(printed)}, here ${percentage(measured.success)})`,
  );
  const noises = judged.flatMap((one) =>
    one.printed.noise === null ? [] : [{ ...one, noise: one.printed.noise }],
  );
  const near = noises.filter(({ noise, measured }) => noiseAgrees(noise, measured));
  const noise =
    noises.length === 0
      ? ''
      : ` ${near.length} of ${noises.length} printed noise levels ${configuration.seeds.length < 2 ? 'are ours to two decimals' : 'lie within our interval over seeds'}${near.length > 0 ? ` (${list(near.map(({ title }) => title))})` : ''}.`;
  return [`${name}${which}.${rest.length > 0 ? ` These do not: ${list(rest)}.` : ''}${noise}`];
};

/** The headline does not reproduce if our success rate is at least this much above the printed one. */
const clearlyAbove = 0.2;

const headline = (configuration: Configuration): string[] => {
  const found = find(configuration, 'DeepFool L2, 50 steps');
  if (!found || configuration.recipe !== 'funn') return [];
  const { printed, measured } = found;
  if (measured.success.mean - printed.success / 100 < clearlyAbove) return [];
  const longer = find(configuration, 'DeepFool L2, 1000 steps');
  const steps = measured.meanSteps === null ? '' : `, in ${measured.meanSteps.toFixed(1)} steps on average`;
  return [
    `**The headline does not reproduce with \`${configuration.name}\`.** For DeepFool L2 with 50 steps, the paper prints a success rate of ${printed.success} %; here it is ${percentage(measured.success)}${steps}, with a median L2 of ${distance(measured.medianL2)}.` +
      (longer && longer.measured.success.mean - measured.success.mean < 0.05
        ? ` With 1000 steps, our rate changes little (${percentage(longer.measured.success)}), but the paper’s rises from 0.54 % to 15.25 %. A network that needs so many steps probably has gradients that hardly help the attack. Here 50 steps are enough.`
        : ''),
  ];
};

/** A constraint that was active on a smaller share of steps cannot have changed much. */
const hardlyActive = 0.05;

const hinge = ({ name, hinge: active, floor, hyperparameters, attackerLoss }: Configuration): string[] => {
  if (active === null) return [];
  const beta = `β = ${hyperparameters.beta}${hyperparameters.betaUnit === 'floor' ? ' of the floor' : ''}`;
  const floorText = floor === null ? '' : `; the defender’s loss after initialisation was ${number(floor)}`;
  if (active.mean === 0)
    return [
      `**In \`${name}\` the constraint was never active**: ${beta}${floorText}. The hinge was 0 on every step, so the attacker learned only to copy images. By the paper’s own equations, these runs train auto-encoders on slightly noisy images. They do not show whether the constraint helps.`,
    ];
  if (active.mean < hardlyActive)
    return [
      `**In \`${name}\` the constraint was hardly ever active**: on ${percentage(active)} of the steps (${beta}${floorText}). These runs say almost nothing about the constraint: they train nearly the paper’s networks without it.`,
    ];
  return [
    `In \`${name}\` the constraint was active on ${percentage(active)} of the steps (${beta}${floorText}). At the end, the attacker’s own loss was ${number(attackerLoss)}.`,
  ];
};

/** How the median L2 changes, and whether all seeds agree on the direction. */
const describeMedian = (factor: NonNullable<Shift['factor']>, seeds: number): string => {
  const [low, , high] = factor;
  const every = seeds === 1 ? 'the only seed' : 'every seed';
  const direction =
    high < 1
      ? `smaller on ${every}`
      : low > 1
        ? `larger on ${every}`
        : 'smaller on some seeds and larger on others';
  return `the median L2 that DeepFool needs is ${direction}, ${describeFactor(factor)}`;
};

const shifts = (configurations: readonly Configuration[]): string[] =>
  comparisonsOf(configurations).map(({ configuration, baseline, shifts: all }) => {
    const lower = all.filter(({ clear, success }) => clear && success < 0);
    const higher = all.filter(({ clear, success }) => clear && success > 0);
    const deepfool = all.find(({ title }) => title === 'DeepFool L2, 50 steps');
    const words =
      lower.length + higher.length === 0
        ? 'no attack has a clearly different success rate'
        : [
            lower.length > 0 ? `clearly lower success of ${list(lower.map(({ title }) => title))}` : '',
            higher.length > 0 ? `clearly higher success of ${list(higher.map(({ title }) => title))}` : '',
          ]
            .filter(Boolean)
            .join(', ');
    const { factor = null } = deepfool ?? {};
    const shared = configuration.seeds.filter((seed) => baseline.seeds.includes(seed)).length;
    const median = factor === null ? '' : `; ${describeMedian(factor, shared)}`;
    return `\`${configuration.name}\` against \`${baseline.name}\`: ${words}${median}.`;
  });

const verdicts = (configurations: readonly Configuration[]): string[] => {
  const examined = configurations.filter(({ verdict }) => verdict !== null);
  if (examined.length === 0) return [];
  if (examined.every(({ verdict }) => verdict === 'ok'))
    return [
      'Every configuration passes all checks on every seed: nothing suggests that a success rate here is low because gradients are masked.',
    ];
  return examined.filter(({ verdict }) => verdict !== 'ok').map(describeVerdict);
};

const describeVerdict = ({ name, verdict, findings: found, seeds }: Configuration): string => {
  const ids = [...new Set(found.map(({ check }) => check.id))];
  const reasons = ids.map((id) => {
    const same = found.filter(({ check }) => check.id === id);
    return `${checkLabel(id)} on ${same.length} of ${seeds.length} seeds (“${same[0]!.check.detail}”)`;
  });
  return `\`${name}\` is **${verdict}**: ${reasons.join('; ')}.`;
};

/** A sentence on the highest success rate at which so few attacked images may show no success at all. */
const resolution = (configurations: readonly Configuration[]): string[] => {
  const counts = configurations.flatMap(({ rows }) =>
    rows.flatMap(({ measured }) => measured?.attempted ?? []),
  );
  if (counts.length === 0) return [];
  const least = Math.min(...counts);
  const [, high] = wilsonInterval(0, least);
  return [
    `Each attack on a configuration had ${least === Math.max(...counts) ? least : `${least} to ${Math.max(...counts)}`} images in all. When none of ${least} images is fooled, the true rate may still be up to ${percent(high)}. So this sweep cannot tell two rates below that apart, and to agree with such a printed rate means little.`,
  ];
};

const fgsmNoise = (configuration: Configuration): string[] => {
  const readings = ['FGSM 0.005 (largest ε of a search)', 'FGSM 0.005 (fixed ε)'].flatMap((title) => {
    const found = find(configuration, title);
    return found?.printed.noise && found.measured.noise ? [{ ...found, noise: found.measured.noise }] : [];
  });
  const [search, fixed] = readings;
  if (!search || !fixed) return [];
  const off = ({ noise, printed }: typeof search): number => Math.abs(noise.mean - printed.noise!);
  if (Math.abs(off(search) - off(fixed)) < 0.005) return []; // The paper prints two decimals.
  const [near, other] = off(search) <= off(fixed) ? [search, fixed] : [fixed, search];
  return [
    `FGSM’s printed noise level for ${configuration.recipe} (${search.printed.noise}) is nearer to “${near.title}” (${number(near.noise)}) than to “${other.title}” (${number(other.noise)}) in \`${configuration.name}\`.`,
  ];
};

/** What one or two seeds cannot say. */
const fewSeeds = (configurations: readonly Configuration[]): readonly string[] => {
  const withSeeds = (count: number): string | null => {
    const few = configurations.filter(({ seeds }) => seeds.length === count);
    if (few.length === 0) return null;
    return few.length === configurations.length
      ? 'Each configuration'
      : list(few.map(({ name }) => `\`${name}\``));
  };
  const [one, two] = [withSeeds(1), withSeeds(2)];
  return [
    ...(one === null
      ? []
      : [
          `${one}: one seed. So the intervals are of the images alone, and nothing here says how much another seed would differ.`,
        ]),
    ...(two === null
      ? []
      : [
          `${two}: two seeds. A 95 % interval of two seeds reaches 12.7 standard errors to each side (Student’s t), so a printed number may lie within it by chance: *agrees* says little yet.`,
        ]),
  ];
};

export const findings = (data: SweepResults, configurations: readonly Configuration[]): string[] => {
  const share = shareOfTraining(data, configurations);
  const { dataset } = data.sweep.definition;
  return [
    ...configurations.flatMap(agreement),
    ...resolution(configurations),
    ...fewSeeds(configurations),
    ...configurations.flatMap(headline),
    ...configurations.flatMap(hinge),
    ...shifts(configurations),
    ...verdicts(configurations),
    ...configurations.flatMap(fgsmNoise),
    ...(share < 0.99 || dataset.attack < 1000
      ? [
          `These runs had ${percent(share)} of the paper’s training, and attacked the correctly classified ones of ${dataset.attack} images instead of 1000. This may be the reason for differences from the printed numbers. \`examples/table2.yaml\` without changes has the paper’s sizes.`,
        ]
      : []),
    'Every run has one more possible reason for differences: the paper does not print filters, code, noise units and the scale of the loss, so we do not know its network.',
  ];
};
