/**
 * Which choice moves which row: the mean logit of the success rate over the configurations with a value, minus that over all others, with
 * Welch's 95 % interval. The configurations are random draws, so the other choices are spread alike over both groups, and no model has to be
 * right (decision 33).
 */
import { mean } from '@funnel/attacks/statistics';
import { studentT975 } from '@funnel/contracts';
import { choicesOf } from '../choices.ts';
import type { Configuration } from '../measured.ts';
import { logitOf } from './nearness.ts';

export type Difference = {
  readonly mean: number;
  /** Null when a group has fewer than two values. */
  readonly halfWidth: number | null;
};

const variance = (values: readonly number[], centre: number): number =>
  values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1);

/**
 * The difference of two means with Welch's 95 % interval (Welch 1947). The degrees of freedom are rounded down, which widens it. Null for an
 * empty group.
 */
export const welch = (first: readonly number[], second: readonly number[]): Difference | null => {
  // Without this shift, equal values may differ from their mean in the last bit, and the interval would not contain 0.
  const shifted = (values: readonly number[]) => values.map((value) => value - (second[0] ?? 0));
  const [ours, others] = [shifted(first), shifted(second)];
  const [a, b] = [mean(ours), mean(others)];
  if (a === null || b === null) return null;
  if (ours.length < 2 || others.length < 2) return { mean: a - b, halfWidth: null };
  const [u, v] = [variance(ours, a) / ours.length, variance(others, b) / others.length];
  if (u + v === 0) return { mean: a - b, halfWidth: 0 };
  const freedom = (u + v) ** 2 / (u ** 2 / (ours.length - 1) + v ** 2 / (others.length - 1));
  return { mean: a - b, halfWidth: studentT975(Math.max(1, Math.floor(freedom))) * Math.sqrt(u + v) };
};

/** True when the interval does not contain 0. */
export const isClear = ({ mean: centre, halfWidth }: Difference): boolean =>
  halfWidth !== null && Math.abs(centre) > halfWidth;

export type Effect = {
  /** The title of the hyperparameter, and one of its values. */
  readonly choice: string;
  readonly value: string;
  readonly attack: string;
  readonly configurations: number;
  readonly difference: Difference;
};

/**
 * The logits of a row. All take the smallest number of attacked images: with its own, a configuration that fools all of more images would have a
 * higher rate than one that fools all of fewer.
 */
const logitsOf = (row: number, configurations: readonly Configuration[]): readonly (number | null)[] => {
  const measured = configurations.map(({ rows }) => rows[row]!.measured);
  const images = Math.min(...measured.flatMap((one) => one?.attempted ?? []));
  return measured.map((one) => one && logitOf((one.successes / one.attempted) * images, images));
};

/** In the order of the choices, their values, and the rows. Leaves out what has one value only, and rows without results. */
export const effectsOf = (configurations: readonly Configuration[]): readonly Effect[] => {
  const attacks = configurations[0]?.rows.map(({ printed }) => printed.title) ?? [];
  const logits = attacks.map((_, row) => logitsOf(row, configurations));
  return choicesOf(configurations).flatMap(({ title, values }) =>
    values.flatMap(({ value, members }) =>
      attacks.flatMap((attack, row) => {
        const of = (inside: boolean) =>
          logits[row]!.flatMap((logit, i) =>
            logit !== null && members.has(configurations[i]!) === inside ? logit : [],
          );
        const difference = welch(of(true), of(false));
        return difference === null
          ? []
          : [{ choice: title, value, attack, configurations: members.size, difference }];
      }),
    ),
  );
};

/** Leaves out the second of two values: its effects are those of the first with the other sign, and would count twice. */
export const withoutMirrors = (effects: readonly Effect[]): readonly Effect[] => {
  const values = new Map<string, string[]>();
  for (const { choice, value } of effects)
    values.set(choice, [...new Set([...(values.get(choice) ?? []), value])]);
  return effects.filter(({ choice, value }) => {
    const all = values.get(choice)!;
    return all.length !== 2 || value === all[0];
  });
};
