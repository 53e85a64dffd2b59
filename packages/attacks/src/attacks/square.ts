/**
 * Square Attack (Andriushchenko et al. 2020, Algorithms 1–3; `autoattack/square.py`): random squares, kept where the margin falls.
 * One forward pass per image and iteration, no gradients. Every image draws its own squares.
 */
import type { AttackSettings } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import type { Attack } from '../attack.ts';
import { marginsOf } from '../margins.ts';
import type { Norm } from '../norms.ts';
import { pick, positions } from '../rows.ts';
import { pixelGrid } from './pixel-grid.ts';
import type { Proposals } from './proposals.ts';
import { proposeWindows, startTiles } from './square-l2.ts';
import { proposeSquare, startStripes } from './square-linf.ts';

const proposals: Readonly<Record<Norm, Proposals>> = {
  linf: { start: startStripes, propose: proposeSquare },
  l2: { start: startTiles, propose: proposeWindows },
};

export const square =
  (norm: Norm): Attack<'square-linf' | 'square-l2'> =>
  async (context, settings) => {
    const { model, images, labels } = context;
    const grid = pixelGrid(model.shape);
    const { start, propose } = proposals[norm];
    const clean = await images.data<'float32'>();
    const rowOf = (values: Float32Array, row: number) =>
      values.subarray(row * model.width, (row + 1) * model.width);
    const best = new Float32Array(clean.length);
    const margins = new Float32Array(labels.length).fill(Number.POSITIVE_INFINITY);
    const queries = new Int32Array(labels.length);
    const randoms = Array.from(labels, (_, row) => context.random(row));
    let rows = positions(labels.length, () => true);
    for (let query = 0; query < settings.queries && rows.length > 0; query++) {
      await context.yieldToEventLoop();
      const area = settings.area / shrinking(query, settings);
      const tried = new Float32Array(rows.length * model.width);
      rows.forEach((row, i) => {
        const to = rowOf(tried, i);
        if (query === 0) start(to, rowOf(clean, row), grid, settings.epsilon, randoms[row]!);
        else propose(to, rowOf(clean, row), rowOf(best, row), grid, settings.epsilon, area, randoms[row]!);
      });
      const seen = await marginsOf(model, tried, pick(labels, rows));
      rows.forEach((row, i) => {
        queries[row]!++;
        const lower = seen.margins[i]! < margins[row]!; // a NaN is not
        if (lower) margins[row] = seen.margins[i]!;
        if (query > 0 && !lower && !seen.fooled[i]) return;
        rowOf(best, row).set(rowOf(tried, i));
      });
      rows = pick(
        rows,
        positions(rows.length, (i) => !seen.fooled[i]),
      );
    }
    return { adversarials: tf.tensor2d(best, [labels.length, model.width]), steps: queries.slice(), queries };
  };

/** The area of the squares halves as the search goes on; the paper's schedule is for 10,000 queries and scales with their number. */
const shrinking = (query: number, { queries }: AttackSettings<'square-linf'>): number => {
  const at = Math.floor(((query - 1) / queries) * 10_000);
  return 2 ** [10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000].filter((limit) => at > limit).length;
};
