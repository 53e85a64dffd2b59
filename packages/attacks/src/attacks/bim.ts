/**
 * Basic Iterative Method (Kurakin et al. 2017, §2.2) with the semantics of Foolbox 1.8 (`foolbox/attacks/iterative_projected_gradient.py`):
 * x ← P(x + a·direction(∇L)) from the image, L the cross-entropy, P the projection onto the ball. A run stops at its first hit.
 * `search: true` looks for the smallest ε: it multiplies ε by 1.5 up to a limit until a run succeeds, then bisects 20 times. The step size a
 * stays in proportion to ε.
 *
 * Norm: L∞ (`bim`) or L2 (`bim-l2`). Images: rows of [batch, 28, 28, 1] in [0, 1].
 * Cost per image: `steps` gradients and forward passes at a fixed ε; at most 40 times as many with `search`.
 * `queries` counts the forward passes and the first gradient.
 */
import { isMistake, searchLimitOf } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import type { Attack, AttackContext } from '../attack.ts';
import { indicesWhere, takeRows, valuesAt } from '../batch-rows.ts';
import { classesAndDistances, createNearestHits } from '../hits.ts';
import { lossDirection } from '../losses.ts';
import { type Norm, project } from '../norms.ts';

/** A longer step ends at the same point of the ball; its square may overflow float32. */
const largestRatio = 1e6;

/**
 * Every image runs its own search: some images restart at another ε while others are in the middle of a run. A step costs a forward pass
 * for every image in it, and a gradient for every image that continues. The gradient at the image itself is computed once.
 */
export const bim =
  (norm: Norm): Attack<'bim' | 'bim-l2'> =>
  async (context, settings) => {
    const { images, labels, model, own } = context;
    const ratio = Math.min((settings.stepSize ?? settings.epsilon / 6) / settings.epsilon, largestRatio);
    const scaling = norm === 'linf' ? 'sign' : 'l2';
    const limit = searchLimitOf({ attack: norm === 'linf' ? 'bim' : 'bim-l2', settings });
    const first = settings.search ? Math.min(settings.epsilon, limit) : settings.epsilon;
    const searches = Array.from(labels, () => createEpsilonSearch(first, limit, settings.search));
    const iteration = new Int32Array(labels.length);
    const steps = new Int32Array(labels.length);
    const nearest = createNearestHits(context); // by squared L2
    const initialDirection = own(lossDirection(model, images, labels, scaling));
    let state: State = {
      rows: indicesWhere(labels.length, () => true),
      x: own(images.clone()),
      direction: own(initialDirection.clone()),
    };
    while (state.rows.length > 0) {
      await context.yieldToEventLoop();
      const { rows } = state;
      const origin = own(takeRows(images, rows));
      const radii = Float32Array.from(rows, (row) => searches[row]!.epsilon);
      const x = own(ascend(state, origin, norm, radii, ratio));
      const { classes, squares } = await classesAndDistances(model, x, origin);
      const hits = indicesWhere(rows.length, (i) => isMistake(classes[i]!, labels[rows[i]!]!));
      nearest.keep({ x, owners: rows, distances: squares }, hits);
      const runEnded = rows.map((row, i) => {
        steps[row]!++;
        iteration[row]!++;
        const hit = isMistake(classes[i]!, labels[row]!);
        if (!hit && iteration[row]! < settings.steps) return 0;
        iteration[row] = 0;
        searches[row]!.report(hit);
        return 1;
      });
      const continuing = indicesWhere(rows.length, (i) => runEnded[i] === 0);
      const restarting = indicesWhere(rows.length, (i) => runEnded[i] === 1 && !searches[rows[i]!]!.done());
      const next = assemble(context, {
        x,
        continuing,
        continuingRows: valuesAt(rows, continuing),
        restartingRows: valuesAt(rows, restarting),
        initialDirection,
        scaling,
      });
      tf.dispose([x, origin, state.x, state.direction]);
      state = next;
    }
    return { adversarials: nearest.take(), steps, queries: steps.map((count) => count + 1) };
  };

/** The images that are still under attack, their iterates, and the directions of their next steps. */
type State = { readonly rows: Int32Array; readonly x: tf.Tensor2D; readonly direction: tf.Tensor2D };

/** One image's search for the smallest ε at which a run succeeds. */
type EpsilonSearch = {
  /** The ε of the current run. */
  readonly epsilon: number;
  /** Reports whether the run succeeded, and chooses the next ε. */
  readonly report: (success: boolean) => void;
  readonly done: () => boolean;
};

const searchRuns = 20;

/** Without `search` there is only one run, at ε = `start`. A search tries no ε above `limit`. */
const createEpsilonSearch = (start: number, limit: number, search: boolean): EpsilonSearch => {
  let epsilon = start;
  let good = Number.POSITIVE_INFINITY;
  let bad = 0;
  let count = 0;
  let done = false;
  return {
    get epsilon() {
      return epsilon;
    },
    report: (success) => {
      count++;
      if (!search) {
        done = true;
      } else if (!Number.isFinite(good)) {
        if (success) {
          good = epsilon;
          count = 0;
          epsilon = (good + bad) / 2;
        } else {
          done = count === searchRuns || epsilon === limit;
          epsilon = Math.min(1.5 * epsilon, limit);
        }
      } else {
        if (success) good = epsilon;
        else bad = epsilon;
        epsilon = (good + bad) / 2;
        done = count === searchRuns;
      }
    },
    done: () => done,
  };
};

const ascend = (
  { x, direction }: State,
  origin: tf.Tensor2D,
  norm: Norm,
  radii: Float32Array,
  ratio: number,
): tf.Tensor2D =>
  tf.tidy(() => {
    const epsilon = tf.tensor2d(radii, [radii.length, 1]);
    return project(x.add(direction.mul(epsilon.mul(ratio))), origin, norm, epsilon);
  });

type Step = {
  readonly x: tf.Tensor2D;
  /** The rows of `x` that continue, and their rows in the batch. */
  readonly continuing: Int32Array;
  readonly continuingRows: Int32Array;
  readonly restartingRows: Int32Array;
  readonly initialDirection: tf.Tensor2D;
  readonly scaling: 'sign' | 'l2';
};

/**
 * The next state: first the images that continue, with a new gradient; then the images that restart, with the gradient of the clean image.
 */
const assemble = ({ model, images, labels, own }: AttackContext, step: Step): State => {
  const { x, continuing, continuingRows, restartingRows, initialDirection, scaling } = step;
  const rows = Int32Array.of(...continuingRows, ...restartingRows);
  const [nextX, direction] = tf.tidy(() => {
    const here = takeRows(x, continuing);
    const continued =
      continuing.length > 0 ? [lossDirection(model, here, valuesAt(labels, continuingRows), scaling)] : [];
    return [
      tf.concat([here, takeRows(images, restartingRows)], 0),
      tf.concat([...continued, takeRows(initialDirection, restartingRows)], 0),
    ];
  });
  return { rows, x: own(nextX!), direction: own(direction!) };
};
