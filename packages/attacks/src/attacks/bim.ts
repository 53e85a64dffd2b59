/**
 * Basic Iterative Method: projected gradient steps from the image, stopping at the first hit; at a fixed ε, or with a search for the
 * least one. Foolbox 1.8 `foolbox/attacks/iterative_projected_gradient.py`.
 */
import { isMistake } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import type { Attack, AttackContext } from '../attack.ts';
import { createNearest, outcomes } from '../hits.ts';
import { lossDirection } from '../losses.ts';
import { type Norm, project } from '../norms.ts';
import { pick, positions, takeRows } from '../rows.ts';

/**
 * Every image runs its own search: while one starts over at another ε, others are in the middle of theirs. A step costs all that are
 * left a forward pass, and those that go on from where they are a gradient; the one at the image itself is computed once.
 */
export const bim =
  (norm: Norm): Attack<'bim' | 'bim-l2'> =>
  async (context, settings) => {
    const { images, labels } = context;
    const ratio = (settings.stepSize ?? settings.epsilon / 6) / settings.epsilon;
    const scaling = norm === 'linf' ? 'sign' : 'l2';
    const searches = Array.from(labels, () => createEpsilonSearch(settings.epsilon, settings.search));
    const iteration = new Int32Array(labels.length);
    const steps = new Int32Array(labels.length);
    const nearest = createNearest(images); // by squared L2
    const first = lossDirection(context, images, labels, scaling);
    let state: State = {
      rows: positions(labels.length, () => true),
      x: images.clone(),
      direction: first.clone(),
    };
    while (state.rows.length > 0) {
      await context.yieldToEventLoop();
      const { rows } = state;
      const origin = takeRows(images, rows);
      const x = ascend(
        state,
        origin,
        norm,
        Float32Array.from(rows, (row) => searches[row]!.epsilon),
        ratio,
      );
      const { classes, squares } = await outcomes(context.model, x, origin);
      const hits = positions(rows.length, (i) => isMistake(classes[i]!, labels[rows[i]!]!));
      nearest.keep({ x, owners: rows, distances: squares }, hits);
      const finished = rows.map((row, i) => {
        steps[row]!++;
        iteration[row]!++;
        const hit = isMistake(classes[i]!, labels[row]!);
        if (!hit && iteration[row]! < settings.steps) return 0;
        iteration[row] = 0;
        searches[row]!.report(hit);
        return 1;
      });
      const going = positions(rows.length, (i) => finished[i] === 0);
      const restarting = positions(rows.length, (i) => finished[i] === 1 && !searches[rows[i]!]!.done());
      const next = assemble(context, first, x, pick(rows, going), going, pick(rows, restarting), scaling);
      tf.dispose([x, origin, state.x, state.direction]);
      state = next;
    }
    tf.dispose([first, state.x, state.direction]);
    return { adversarials: nearest.take(), steps, queries: steps.map((count) => count + 1) };
  };

/** The images still under attack, where they are and where they go next. */
type State = { readonly rows: Int32Array; readonly x: tf.Tensor2D; readonly direction: tf.Tensor2D };

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

/** Those that go on, with a new gradient, then those that start over at their image, with the first one. */
const assemble = (
  context: AttackContext,
  first: tf.Tensor2D,
  x: tf.Tensor2D,
  going: Int32Array,
  at: Int32Array,
  restarting: Int32Array,
  scaling: 'sign' | 'l2',
): State => {
  const rows = Int32Array.of(...going, ...restarting);
  const [nextX, direction] = tf.tidy(() => {
    const here = takeRows(x, at);
    const ahead =
      going.length > 0 ? [lossDirection(context, here, pick(context.labels, going), scaling)] : [];
    return [
      tf.concat([here, takeRows(context.images, restarting)], 0),
      tf.concat([...ahead, takeRows(first, restarting)], 0),
    ];
  });
  return { rows, x: nextX!, direction: direction! };
};

/** One image's search for the least ε at which an attack succeeds: times 1.5 until it does, then bisection (Foolbox 1.8). */
type EpsilonSearch = {
  /** The ε to try now. */
  readonly epsilon: number;
  /** Says whether it succeeded there. */
  readonly report: (success: boolean) => void;
  readonly done: () => boolean;
};

const tries = 20;

/** With `search` false only `start` is tried. */
const createEpsilonSearch = (start: number, search: boolean): EpsilonSearch => {
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
          epsilon *= 1.5;
          done = count === tries;
        }
      } else {
        if (success) good = epsilon;
        else bad = epsilon;
        epsilon = (good + bad) / 2;
        done = count === tries;
      }
    },
    done: () => done,
  };
};
