/**
 * Operators that move values: slicing, padding, gathering, scattering.
 */
import * as tf from '@tensorflow/tfjs';
import { as4D, type OperatorCase, use } from './use.ts';

export const movements: readonly OperatorCase[] = [
  use('BatchToSpaceND', 'crops', [[4, 2, 3, 2]], (x) =>
    tf.batchToSpaceND(
      x!,
      [2, 2],
      [
        [0, 1],
        [1, 0],
      ],
    ),
  ),
  use('SpaceToBatchND', 'paddings', [[1, 3, 5, 2]], (x) =>
    tf.spaceToBatchND(
      x!,
      [2, 2],
      [
        [0, 1],
        [1, 0],
      ],
    ),
  ),
  use('DepthToSpace', 'blocks of 2×2', [[2, 2, 3, 8]], (x) => tf.depthToSpace(as4D(x!), 2)),
  use(
    'Concat',
    'first axis',
    [
      [1, 3],
      [2, 3],
    ],
    (a, b) => tf.concat([a!, b!], 0),
  ),
  use(
    'Concat',
    'last axis',
    [
      [2, 2, 3],
      [2, 2, 1],
    ],
    (a, b) => tf.concat([a!, b!], -1),
  ),
  use('ExpandDims', 'middle', [[2, 3]], (x) => tf.expandDims(x!, 1)),
  use('Reshape', 'other shape', [[2, 6]], (x) => tf.reshape(x!, [3, 4])),
  use('GatherV2', 'first axis, repeated', [[4, 3]], (x) => tf.gather(x!, tf.tensor1d([2, 0, 2], 'int32'), 0)),
  use('GatherV2', 'last axis, repeated', [[2, 3, 5]], (x) =>
    tf.gather(x!, tf.tensor1d([4, 0, 4], 'int32'), 2),
  ),
  use('GatherV2', 'a negative axis', [[2, 3, 5]], (x) => tf.gather(x!, tf.tensor1d([1, 0, 1], 'int32'), -2)),
  use('GatherV2', 'indices of two axes', [[2, 4, 3]], (x) =>
    tf.gather(
      x!,
      tf.tensor2d(
        [
          [3, 0],
          [0, 1],
        ],
        [2, 2],
        'int32',
      ),
      1,
    ),
  ),
  use('GatherV2', 'one index', [[4, 3]], (x) => tf.gather(x!, tf.scalar(2, 'int32'), 0)),
  use('GatherV2', 'one row of indices per image', [[2, 4, 3]], (x) =>
    tf.gather(
      x!,
      tf.tensor2d(
        [
          [3, 0],
          [0, 0],
        ],
        [2, 2],
        'int32',
      ),
      1,
      1,
    ),
  ),
  use('GatherV2', 'one row of indices per image, axis 2', [[2, 3, 4]], (x) =>
    tf.gather(
      x!,
      tf.tensor2d(
        [
          [3, 0],
          [0, 0],
        ],
        [2, 2],
        'int32',
      ),
      2,
      1,
    ),
  ),
  use('GatherNd', 'whole indices', [[3, 4]], (x) =>
    tf.gatherND(
      x!,
      tf.tensor2d(
        [
          [0, 1],
          [2, 3],
          [0, 1],
        ],
        [3, 2],
        'int32',
      ),
    ),
  ),
  use('GatherNd', 'rows', [[3, 4]], (x) => tf.gatherND(x!, tf.tensor2d([[2], [0]], [2, 1], 'int32'))),
  use('ScatterNd', 'rows, one twice', [[3, 2]], (x) =>
    tf.scatterND(tf.tensor2d([[4], [1], [4]], [3, 1], 'int32'), x!, [5, 2]),
  ),
  use(
    'TensorScatterUpdate',
    'rows',
    [
      [4, 2],
      [2, 2],
    ],
    (x, updates) => tf.tensorScatterUpdate(x!, tf.tensor2d([[3], [1]], [2, 1], 'int32'), updates!),
  ),
  use('SparseToDense', 'values and their default', [[2], []], (values, rest) =>
    tf.sparseToDense(tf.tensor1d([3, 1], 'int32'), values!, [5], rest! as tf.Scalar),
  ),
  use('UnsortedSegmentSum', 'rows, one dropped', [[5, 3]], (x) =>
    tf.unsortedSegmentSum(x!, tf.tensor1d([1, 0, 1, 3, -1], 'int32'), 4),
  ),
  use('Slice', 'part', [[4, 5, 3]], (x) => tf.slice(x!, [1, 0, 1], [2, -1, 2])),
  use('StridedSlice', 'strides', [[5, 7]], (x) => tf.stridedSlice(x!, [0, 1], [5, 7], [2, 3])),
  use('StridedSlice', 'backwards', [[5, 7]], (x) => tf.stridedSlice(x!, [4, -1], [0, -7], [-2, -1])),
  use('StridedSlice', 'masks', [[4, 5, 3]], (x) =>
    tf.stridedSlice(x!, [1, 1, 1], [3, 4, 2], [1, 2, 1], 1, 2, 0, 0, 4),
  ),
  use('StridedSlice', 'single indices and a stride', [[4, 5, 3]], (x) =>
    tf.stridedSlice(x!, [2, 4, 1], [3, -6, 2], [1, -2, 1], 0, 0, 0, 0, 5),
  ),
  use('StridedSlice', 'ellipsis and a new axis', [[3, 4, 5]], (x) =>
    tf.stridedSlice(x!, [0, 0, 1], [0, 0, 5], [1, 1, 2], 0, 0, 1, 2, 0),
  ),
  use('StridedSlice', 'all of the values', [[2, 3]], (x) => tf.stridedSlice(x!, [0, 0], [2, 3], [1, 1])),
  use('Reverse', 'two axes', [[2, 3, 4]], (x) => tf.reverse(x!, [0, 2])),
  use('FlipLeftRight', 'images', [[2, 3, 4, 2]], (x) => tf.image.flipLeftRight(as4D(x!))),
  use(
    'Pack',
    'middle',
    [
      [2, 3],
      [2, 3],
    ],
    (a, b) => tf.stack([a!, b!], 1),
  ),
  use('Unpack', 'one of three', [[2, 3, 2]], (x) => tf.unstack(x!, 1)[1]!),
  use('PadV2', 'odd', [[2, 3]], (x) =>
    tf.pad(
      x!,
      [
        [1, 0],
        [2, 3],
      ],
      0.5,
    ),
  ),
  ...(['reflect', 'symmetric'] as const).flatMap((mode) => [
    use('MirrorPad', `${mode}, images`, [[2, 4, 5, 2]], (x) =>
      tf.mirrorPad(
        x!,
        [
          [0, 0],
          [2, 1],
          [3, 0],
          [0, 0],
        ],
        mode,
      ),
    ),
    use('MirrorPad', `${mode}, whole width`, [[3, 4]], (x) =>
      tf.mirrorPad(
        x!,
        mode === 'reflect'
          ? [
              [2, 2],
              [3, 3],
            ]
          : [
              [3, 3],
              [4, 4],
            ],
        mode,
      ),
    ),
    use('MirrorPad', `${mode}, one axis`, [[5]], (x) => tf.mirrorPad(x!, [[3, 1]], mode)),
  ]),
  use('SplitV', 'two of three', [[2, 6]], (x) => {
    const [a, , c] = tf.split(x!, [1, 3, 2], 1);
    return tf.concat([tf.mul(a!, 2), c!], 1);
  }),
  use('Tile', 'one axis', [[3]], (x) => tf.tile(x!, [2])),
  use('Tile', 'three axes', [[2, 1, 3]], (x) => tf.tile(x!, [1, 3, 2])),
  use('Tile', 'five axes', [[1, 2, 1, 2, 2]], (x) => tf.tile(x!, [2, 1, 2, 1, 3])),
  use('Tile', 'broadcast', [[1, 3, 1]], (x) => tf.broadcastTo(x!, [2, 2, 3, 2])),
  use('Transpose', 'four axes', [[2, 3, 1, 4]], (x) => tf.transpose(x!, [3, 1, 0, 2])),
  use('Diag', 'two axes', [[2, 3]], (x) => tf.diag(x!)),
];
