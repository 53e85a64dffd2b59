/**
 * Convolutions, pooling and dilation: several windows, strides, paddings and dilations.
 */
import * as tf from '@tensorflow/tfjs';
import { as4D, as5D, type OperatorCase, use } from './use.ts';

type Padding = 'same' | 'valid' | number;
type Window = readonly [
  image: readonly number[],
  filter: number | [number, number],
  stride: number | [number, number],
  padding: Padding,
];

/** Images [batch, height, width, channels], size and stride of the window, padding. */
const windows: readonly Window[] = [
  [[2, 5, 5, 2], 3, 1, 'same'],
  [[1, 6, 5, 3], 3, 2, 'same'],
  [[2, 7, 6, 1], 2, 2, 'same'],
  [[1, 7, 5, 2], [3, 2], [2, 1], 'valid'],
  [[1, 6, 6, 2], 2, 3, 'same'],
  [[1, 5, 6, 2], 3, 2, 1],
  [[1, 7, 7, 1], 3, 2, 'valid'],
  [[2, 4, 4, 3], 1, 1, 'same'],
];
const called = ([image, filter, stride, padding]: Window) =>
  `${image}, window ${filter}, stride ${stride}, ${padding}`;
const both = (size: number | [number, number]): [number, number] =>
  typeof size === 'number' ? [size, size] : size;

/** Images, taps, dilation, padding. */
const dilated = [
  [[2, 7, 6, 2], 3, 2, 'same'],
  [[1, 8, 7, 1], 3, [2, 3], 'valid'],
  [[1, 7, 7, 2], 2, 3, 'same'],
  [[1, 6, 7, 2], 3, 2, 3],
] as const;

export const convolutions: readonly OperatorCase[] = [
  ...windows.flatMap((window): OperatorCase[] => {
    const [image, filter, stride, padding] = window;
    const taps = both(filter);
    const channels = image[3]!;
    return [
      use('Conv2D', called(window), [image, [...taps, channels, 3]], (x, f) =>
        tf.conv2d(as4D(x!), as4D(f!), stride, padding),
      ),
      use('DepthwiseConv2dNative', called(window), [image, [...taps, channels, 2]], (x, f) =>
        tf.depthwiseConv2d(as4D(x!), as4D(f!), stride, padding),
      ),
      use('MaxPool', called(window), [image], (x) => tf.maxPool(as4D(x!), filter, stride, padding)),
      use('AvgPool', called(window), [image], (x) => tf.avgPool(as4D(x!), filter, stride, padding)),
    ];
  }),
  ...(['linear', 'relu', 'relu6', 'elu', 'sigmoid'] as const).flatMap((activation) => [
    use('FusedConv2D', `bias and ${activation}`, [[1, 5, 6, 2], [3, 3, 2, 2], [2]], (x, f, bias) =>
      tf.fused.conv2d({ x: as4D(x!), filter: as4D(f!), strides: 2, pad: 'same', bias: bias!, activation }),
    ),
    use('FusedDepthwiseConv2D', `bias and ${activation}`, [[1, 5, 6, 2], [3, 3, 2, 2], [4]], (x, f, bias) =>
      tf.fused.depthwiseConv2d({
        x: as4D(x!),
        filter: as4D(f!),
        strides: 2,
        pad: 'same',
        bias: bias!,
        activation,
      }),
    ),
  ]),
  use(
    'MaxPoolWithArgmax',
    'two channels',
    [[1, 6, 6, 2]],
    (x) => tf.maxPoolWithArgmax(as4D(x!), 2, 2, 'same').result!,
  ),
  ...dilated.flatMap(([image, filter, dilation, padding]): OperatorCase[] => {
    const taps = both(filter as number);
    const rate = dilation as number | [number, number];
    const how = `${image}, window ${filter}, dilation ${dilation}, ${padding}`;
    return [
      use('Conv2D', how, [image, [...taps, image[3], 2]], (x, f) =>
        tf.conv2d(as4D(x!), as4D(f!), 1, padding, 'NHWC', rate),
      ),
      use('FusedConv2D', how, [image, [...taps, image[3], 2], [2]], (x, f, bias) =>
        tf.fused.conv2d({
          x: as4D(x!),
          filter: as4D(f!),
          strides: 1,
          pad: padding,
          dilations: rate,
          bias: bias!,
        }),
      ),
      use('DepthwiseConv2dNative', how, [image, [...taps, image[3], 2]], (x, f) =>
        tf.depthwiseConv2d(as4D(x!), as4D(f!), 1, padding, 'NHWC', rate),
      ),
      use('FusedDepthwiseConv2D', how, [image, [...taps, image[3], 1]], (x, f) =>
        tf.fused.depthwiseConv2d({
          x: as4D(x!),
          filter: as4D(f!),
          strides: 1,
          pad: padding,
          dilations: rate as number,
        }),
      ),
      use('AvgPool', `dilated: ${how}`, [image], (x) =>
        tf.pool(as4D(x!), taps, 'avg', padding as 'same', rate, 1),
      ),
      use('MaxPool', `dilated: ${how}`, [image], (x) =>
        tf.pool(as4D(x!), taps, 'max', padding as 'same', rate, 1),
      ),
    ];
  }),
  use(
    'DepthwiseConv2dNative',
    'separable',
    [
      [1, 5, 6, 2],
      [3, 3, 2, 2],
      [1, 1, 4, 3],
    ],
    (x, depthwise, pointwise) => tf.separableConv2d(as4D(x!), as4D(depthwise!), as4D(pointwise!), 2, 'same'),
  ),
  use(
    'Conv2D',
    'one axis',
    [
      [2, 7, 2],
      [3, 2, 2],
    ],
    (x, f) => tf.conv1d(x as tf.Tensor3D, f as tf.Tensor3D, 2, 'same'),
  ),
  use(
    'Conv2D',
    'one axis, dilated',
    [
      [2, 9, 2],
      [3, 2, 2],
    ],
    (x, f) => tf.conv1d(x as tf.Tensor3D, f as tf.Tensor3D, 1, 'valid', 'NWC', 2),
  ),
  use(
    'Conv2DBackpropInput',
    'transposed, same',
    [
      [1, 3, 4, 2],
      [3, 3, 2, 2],
    ],
    (x, f) => tf.conv2dTranspose(as4D(x!), as4D(f!), [1, 5, 8, 2], 2, 'same'),
  ),
  use(
    'Conv2DBackpropInput',
    'transposed, valid',
    [
      [1, 3, 3, 2],
      [2, 3, 3, 2],
    ],
    (x, f) => tf.conv2dTranspose(as4D(x!), as4D(f!), [1, 6, 5, 3], [2, 1], 'valid'),
  ),
  use(
    'Conv3D',
    'same',
    [
      [1, 3, 4, 5, 2],
      [2, 3, 3, 2, 2],
    ],
    (x, f) => tf.conv3d(as5D(x!), as5D(f!), 1, 'same'),
  ),
  use(
    'Conv3D',
    'stride 2, same',
    [
      [1, 3, 4, 5, 1],
      [3, 3, 3, 1, 2],
    ],
    (x, f) => tf.conv3d(as5D(x!), as5D(f!), 2, 'same'),
  ),
  use(
    'Conv3D',
    'valid',
    [
      [2, 3, 4, 3, 1],
      [2, 1, 3, 1, 3],
    ],
    (x, f) => tf.conv3d(as5D(x!), as5D(f!), [1, 2, 1], 'valid'),
  ),
  use(
    'Conv3D',
    'one channel',
    [
      [1, 4, 4, 1, 1],
      [3, 3, 3, 1, 1],
    ],
    (x, f) => tf.conv3d(as5D(x!), as5D(f!), 1, 'same'),
  ),
  use(
    'Conv3DBackpropInputV2',
    'transposed, same',
    [
      [1, 2, 2, 3, 2],
      [3, 3, 3, 1, 2],
    ],
    (x, f) => tf.conv3dTranspose(as5D(x!), as5D(f!), [1, 3, 4, 5, 1], 2, 'same'),
  ),
  ...(
    [
      [[1, 3, 4, 5, 2], 2, 2, 'same'],
      [[1, 4, 3, 5, 1], 3, 1, 'same'],
      [[1, 4, 4, 5, 1], [2, 3, 2], [1, 2, 2], 'valid'],
    ] as const
  ).flatMap(([volume, filter, stride, padding]) => {
    const how = `${volume}, window ${filter}, stride ${stride}, ${padding}`;
    return [
      use('AvgPool3D', how, [volume], (x) =>
        tf.avgPool3d(as5D(x!), filter as number, stride as number, padding),
      ),
      use('MaxPool3D', how, [volume], (x) =>
        tf.maxPool3d(as5D(x!), filter as number, stride as number, padding),
      ),
    ];
  }),
  use(
    'Dilation2D',
    'same',
    [
      [2, 5, 4, 2],
      [3, 2, 2],
    ],
    (x, f) => tf.dilation2d(as4D(x!), f as tf.Tensor3D, 1, 'same'),
  ),
  use(
    'Dilation2D',
    'stride 2',
    [
      [1, 6, 7, 1],
      [3, 3, 1],
    ],
    (x, f) => tf.dilation2d(as4D(x!), f as tf.Tensor3D, 2, 'same'),
  ),
  use(
    'Dilation2D',
    'dilated',
    [
      [1, 6, 7, 2],
      [2, 2, 2],
    ],
    (x, f) => tf.dilation2d(as4D(x!), f as tf.Tensor3D, 1, 'valid', 2),
  ),
];
