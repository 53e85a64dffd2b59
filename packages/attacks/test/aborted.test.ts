/** An attack that is stopped, or whose model fails, leaves no tensor behind, whatever the moment. */
import { type AttackInput, attackNames } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ClassifierModel, diagnose, evaluateAttack, evaluateAttacks } from '../src/index.ts';
import { shortAttacks } from './helpers/short-attacks.ts';
import { type Tiny, tinyImages, tinyNetwork, useWasm } from './helpers/tiny.ts';

let target: Tiny;
let other: Tiny;
let given: ReturnType<typeof tinyImages>;

beforeAll(async () => {
  await useWasm();
  target = tinyNetwork(1);
  other = tinyNetwork(2);
  given = tinyImages(target.model, 6);
});
afterAll(() => {
  target.dispose();
  other.dispose();
});

/** Everything that an attack calls, with `before` before each call. */
const watched = (before: () => void) => {
  const watch =
    <Args extends unknown[], Result>(call: (...args: Args) => Result) =>
    (...args: Args): Result => {
      before();
      return call(...args);
    };
  const model = ({ logits, ...rest }: ClassifierModel): ClassifierModel => ({
    ...rest,
    logits: watch(logits),
  });
  return {
    model: model(target.model),
    resources: { encoder: watch(target.encoder), surrogates: [model(other.model)] },
  };
};

/** How many calls the attack makes. The settings of `shortAttacks`, but FGSM with its search. */
const attackOf = (name: (typeof attackNames)[number]): AttackInput =>
  name === 'fgsm' ? { attack: 'fgsm', epsilons: 50 } : shortAttacks[name];

const countCalls = async (attack: AttackInput): Promise<number> => {
  let calls = 0;
  await evaluateAttack({ ...given, attack, seed: 7, ...watched(() => calls++) });
  return calls;
};

/** Calls of a run of `calls` calls: the first ones, some in the middle, the last one. Call 1 classifies the clean images. */
const moments = (calls: number): readonly number[] =>
  [...new Set([2, 3, 4, 5, ...[0.2, 0.4, 0.6, 0.8, 1].map((share) => Math.ceil(share * calls))])].filter(
    (moment) => moment <= calls,
  );

describe.each(attackNames)('%s leaves no tensor', (name) => {
  it('after an abort', async () => {
    const attack = attackOf(name);
    for (const moment of moments(await countCalls(attack))) {
      const controller = new AbortController();
      let calls = 0;
      const counted = watched(() => {
        if (++calls === moment) controller.abort(new Error('stopped'));
      });
      const tensors = tf.memory().numTensors;
      const ended = await evaluateAttack({
        ...given,
        attack,
        seed: 7,
        batchSize: 4,
        signal: controller.signal,
        ...counted,
      }).catch((error: Error) => error.message);
      if (typeof ended === 'string') expect(ended).toBe('stopped'); // an attack may end before it looks at the signal
      expect(tf.memory().numTensors, `aborted in call ${moment}`).toBe(tensors);
    }
  });

  it('when the model fails', async () => {
    const attack = attackOf(name);
    for (const moment of moments(await countCalls(attack))) {
      let calls = 0;
      const counted = watched(() => {
        if (++calls === moment) throw new Error('the model failed');
      });
      const tensors = tf.memory().numTensors;
      await expect(evaluateAttack({ ...given, attack, seed: 7, ...counted })).rejects.toThrow(
        'the model failed',
      );
      expect(tf.memory().numTensors, `failed in call ${moment}`).toBe(tensors);
    }
  });
});

it('a preset whose model fails now and then leaves no tensor', async () => {
  let calls = 0;
  const counted = watched(() => {
    if (++calls % 40 === 0) throw new Error('the model failed');
  });
  const attacks = [shortAttacks['pgd-linf'], shortAttacks['apgd-t-linf'], shortAttacks['fab-t-linf']];
  const tensors = tf.memory().numTensors;
  const kinds: string[] = [];
  for await (const { kind } of evaluateAttacks({ ...given, attacks, ...counted })) kinds.push(kind);
  expect(kinds).toContain('failure');
  expect(tf.memory().numTensors).toBe(tensors);
});

it('the checks leave no tensor when the model fails', async () => {
  const options = { ...given, budgets: { linf: 0.1, l2: 1 }, limit: 3 };
  for (const moment of [1, 2, 3, 200, 1500, 3000, 6000]) {
    let calls = 0;
    const counted = watched(() => {
      if (++calls === moment) throw new Error('the model failed');
    });
    const tensors = tf.memory().numTensors;
    await diagnose({ ...options, model: counted.model }).catch(() => null);
    expect(tf.memory().numTensors, `failed in call ${moment}`).toBe(tensors);
  }
});
