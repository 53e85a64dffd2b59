/**
 * Bayesian optimisation: a Gaussian process of the utilities, and the point with the greatest expected improvement (Jones et al. 1998), whose
 * logarithm keeps its shape where the improvement is tiny (Ament et al. 2023).
 */
import { conditionOn, type Data, fitKernel, type GaussianProcess } from '../models/gaussian-process.ts';
import { logImprovement } from '../models/normal.ts';
import { finiteUtilities, measuredOf, momentsOf, type Observation, startUpPoints } from '../observation.ts';
import { createRandom, type Random } from '../random.ts';
import { type Axis, type Point, pointAt, sharesOf } from '../space.ts';
import { spreadPoint } from './sobol.ts';
import type { Proposal, Strategy } from './strategy.ts';

/** The time of a proposal grows with the cube of these numbers of observations: for the kernel's parameters, and for the process itself. */
const maxFitted = 64;
const maxObserved = 200;

/** An axis that a point does not read has the middle of the axis. */
const inputOf = (axes: readonly Axis[], point: Point): Float64Array =>
  sharesOf(axes, point).map((share) => (Number.isNaN(share) ? 0.5 : share));

/** Standardised utilities of all points that ended. A bad one has the worst utility. */
const dataOf = (axes: readonly Axis[], observations: readonly Observation[]): Data => {
  const measured = measuredOf(observations);
  const utilities = finiteUtilities(measured).map(([utility]) => utility!);
  const worst = utilities.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const { mean, deviation } = momentsOf(utilities);
  const byObservation = new Map<Observation, number>(
    measured.map((each, index) => [each, utilities[index]!]),
  );
  const ended = observations.filter(({ outcome }) => outcome.status !== 'pending');
  return {
    inputs: ended.map(({ point }) => inputOf(axes, point)),
    targets: ended.map((each) => ((byObservation.get(each) ?? worst) - mean) / deviation),
    variances: ended.map(({ outcome }) =>
      outcome.status === 'measured' ? (outcome.variances?.[0] ?? 0) / deviation ** 2 : 0,
    ),
    areCategories: axes.map(({ kind }) => kind === 'categories'),
  };
};

const pick = (data: Data, indices: readonly number[]): Data => ({
  inputs: indices.map((index) => data.inputs[index]!),
  targets: indices.map((index) => data.targets[index]!),
  variances: indices.map((index) => data.variances[index]!),
  areCategories: data.areCategories,
});

/** At most `max` observations: half of them the best, the others the newest. */
const limited = (data: Data, max: number): Data => {
  const indices = data.targets.map((_, index) => index);
  if (indices.length <= max) return data;
  const best = new Set(
    indices.toSorted((a, b) => data.targets[b]! - data.targets[a]! || a - b).slice(0, max / 2),
  );
  const newest = indices.filter((index) => !best.has(index)).slice(-max / 2);
  return pick(data, [...best, ...newest]);
};

/** The process given the outcomes. A pending point counts as one that came out as expected: no other point is as uncertain near it. */
const processOf = (
  axes: readonly Axis[],
  observations: readonly Observation[],
  data: Data,
): GaussianProcess => {
  const parameters = fitKernel(limited(data, maxFitted));
  const process = conditionOn(data, parameters);
  const pending = observations
    .filter(({ outcome }) => outcome.status === 'pending')
    .map(({ point }) => inputOf(axes, point));
  if (pending.length === 0) return process;
  return conditionOn(
    {
      ...data,
      inputs: [...data.inputs, ...pending],
      targets: [...data.targets, ...pending.map((input) => process.predict(input).mean)],
      variances: [...data.variances, ...pending.map(() => 0)],
    },
    parameters,
  );
};

type Candidate = { readonly shares: Float64Array; readonly score: number };

const uniformShares = (axes: readonly Axis[], random: Random): Float64Array =>
  Float64Array.from(axes, () => random.uniform());

/** Moves about two of the axes: numbers by a normal step of this scale, categories to any other. */
const moved = (axes: readonly Axis[], shares: Float64Array, scale: number, random: Random): Float64Array => {
  const always = random.below(axes.length);
  return shares.map((share, index) => {
    if (index !== always && random.uniform() >= 1 / axes.length) return share;
    if (axes[index]!.kind === 'categories') return random.uniform();
    return Math.min(1, Math.max(0, share + scale * random.normal()));
  });
};

const spread = 128;
const starts = 4;
const climbs = 32;

/** The shares with the greatest score among uniform ones, and among those that climbs from the best of them and from the best points find. */
const maximise = (
  axes: readonly Axis[],
  score: (shares: Float64Array) => number,
  known: readonly Float64Array[],
  random: Random,
): Float64Array => {
  const scored = (shares: Float64Array): Candidate => ({ shares, score: score(shares) });
  const candidates = [
    ...known,
    ...known.flatMap((shares) => Array.from({ length: 20 }, () => moved(axes, shares, 0.05, random))),
    ...Array.from({ length: spread }, () => uniformShares(axes, random)),
  ]
    .map(scored)
    .sort((a, b) => b.score - a.score);
  let best = candidates[0]!;
  for (let climber of candidates.slice(0, starts)) {
    let scale = 0.1;
    for (let climb = 0; climb < climbs; climb++) {
      const next = scored(moved(axes, climber.shares, scale, random));
      if (next.score > climber.score) climber = next;
      else scale *= 0.9;
    }
    if (climber.score > best.score) best = climber;
  }
  return best.shares;
};

const propose = (proposal: Proposal): Point => {
  const { axes, observations, index, attempt, seed } = proposal;
  if (measuredOf(observations).length < startUpPoints) return spreadPoint(proposal);
  const data = limited(dataOf(axes, observations), maxObserved);
  const process = processOf(axes, observations, data);
  const best = data.targets.reduce((a, b) => Math.max(a, b));
  const score = (shares: Float64Array): number => {
    const { mean, deviation } = process.predict(inputOf(axes, pointAt(axes, shares)));
    return logImprovement((mean - best) / deviation) + Math.log(deviation);
  };
  const known = data.targets
    .map((_, at) => at)
    .sort((a, b) => data.targets[b]! - data.targets[a]! || a - b)
    .slice(0, 3)
    .map((at) => data.inputs[at]!);
  return pointAt(axes, maximise(axes, score, known, createRandom('gp', seed, index, attempt)));
};

export const gp: Strategy = {
  title: 'Gaussian process',
  description:
    'For few and costly trials: one objective, up to about twenty hyperparameters and some hundred trials.',
  maxObjectives: 1,
  handlesCategories: true,
  propose,
};
