/**
 * Which classifiers a transfer attack makes its images on: the first ones of the sweep that are not the attacked one, in the order of
 * the trials. So every trial of a sweep is attacked from the same few networks (the one or two that are among them, from the next), and
 * a sweep of n trials has n × `surrogates` such edges, not n².
 */
import {
  AppError,
  type AttackRun,
  type AttackSettings,
  attacks,
  needsSurrogates,
  type SweepDefinition,
} from '@funnel/contracts';

/** How many the attack asks for; 0: it needs none. */
const wanted = ({ attack, settings }: AttackRun): number =>
  needsSurrogates(attacks[attack]) ? (settings as AttackSettings<'transfer-linf'>).surrogates : 0; // parsed by the attack's declaration

/** Stage ids, sorted, so that the order of the trials does not tell equal sets apart. `classifiers`: distinct, first trial first. */
export const surrogatesOf = (
  attack: AttackRun,
  attacked: string,
  classifiers: readonly string[],
): readonly string[] => {
  const most = wanted(attack);
  if (most === 0) return [];
  return classifiers
    .slice(0, most + 1)
    .filter((id) => id !== attacked)
    .slice(0, most)
    .sort();
};

/** Throws INVALID_REQUEST where an attack needs another classifier and the sweep has but one. */
export const checkSurrogates = (
  { attacks: written }: SweepDefinition,
  runs: readonly AttackRun[],
  classifiers: readonly string[],
): void => {
  const needy = runs.find((run) => wanted(run) > 0);
  if (!needy || classifiers.length > 1) return;
  const expected = `a sweep of at least two classifiers, since ${needy.attack} makes its images on those of other trials`;
  const received = `${classifiers.length}`;
  throw new AppError(
    'INVALID_REQUEST',
    `Expected ${expected}, but got ${received}. Add a seed or a value, or list the attacks without the transfer ones.`,
    { issues: [{ path: 'preset' in written ? 'attacks.preset' : 'attacks', expected, received }] },
  );
};
