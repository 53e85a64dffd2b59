/** What an attack is: a function from images to candidates. It proposes; the driver (run-attack.ts) disposes. */
import type { AttackName, AttackSettings } from '@funnel/contracts';
import type * as tf from '@tensorflow/tfjs';
import type { FlatModel } from './flat-model.ts';
import type { Random } from './random.ts';
import type { AttackResources } from './resources.ts';

export type AttackContext = {
  readonly model: FlatModel;
  /** `[n, width]` in [0, 1]; each is classified as its label. The driver owns it. */
  readonly images: tf.Tensor2D;
  /** `[n]`. */
  readonly labels: Int32Array;
  /** The stream of one image: the same whatever batch the image is in. `path` tells restarts and purposes apart. */
  readonly random: (row: number, ...path: readonly (string | number)[]) => Random;
  /** Throws when the run was cancelled; now and then lets the event loop turn. Awaited once per step. */
  readonly yieldToEventLoop: () => Promise<void>;
  readonly resources: AttackResources;
};

export type AttackResult = {
  /** `[n, width]`: the best adversarial of every row, or anything where there is none. The driver owns it from here. */
  readonly adversarials: tf.Tensor2D;
  /** Iterations spent on each row until its result stood. */
  readonly steps: Int32Array;
  /** Forward passes spent on each row; one that carries a gradient counts once. */
  readonly queries: Int32Array;
};

export type Attack<Name extends AttackName = AttackName> = {
  (context: AttackContext, settings: AttackSettings<Name>): Promise<AttackResult>;
  /** Takes many images and keeps as many at work as a pass of the model takes. Others are given no more than that at once. */
  readonly streams?: true;
};

export const streaming = <Name extends AttackName>(attack: Attack<Name>): Attack<Name> =>
  Object.assign(attack, { streams: true as const });
