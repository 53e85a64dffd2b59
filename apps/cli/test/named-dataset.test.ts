/** Images of a data set that the service has, for `funnel attack` and `funnel examine`. */
import { FunnelError } from '@funnel/client';
import { type DatasetDetail, datasets, usualBudgets } from '@funnel/contracts';
import { describe, expect, it } from 'vitest';
import { epsilonNotes, readAttacks } from '../src/attack/arguments.ts';
import { openImages } from '../src/attack/images.ts';
import { findNamedDataset } from '../src/attack/named-dataset.ts';
import type { Context } from '../src/context.ts';

const shape: [number, number, number] = [2, 3, 1];
const detail = {
  ...{ name: 'pets', digest: 'ab'.repeat(32), shape, train: 9, test: 250 },
  budgets: usualBudgets(shape),
} as DatasetDetail;

type Query = { readonly split: string; readonly from: number; readonly count: number };

/** A service whose image i has the pixels i, …, i and the label i mod 3, and that gives 40 images at a time. */
const service = () => {
  const asked: Query[] = [];
  const client = {
    getDataset: async ({ params: { name } }: { params: { name: string } }) => {
      if (name === 'pets') return detail;
      throw new FunnelError(
        {
          ...{ type: 'urn:funnel:error:not-found', title: 'Not found', status: 404, code: 'NOT_FOUND' },
          ...{ detail: `Expected a data set, but there is none called ${name}`, instance: 'urn:uuid:1' },
          hint: 'See `npx funnel data ls`.',
        },
        { answered: true },
      );
    },
    getDatasetImages: async ({ query }: { query: Query }) => {
      asked.push(query);
      const index = Array.from({ length: Math.min(40, query.count) }, (_, i) => query.from + i);
      return {
        ...{ shape, index, label: index.map((i) => i % 3) },
        images: index.map((i) => Buffer.alloc(6, i).toString('base64')),
      };
    },
  };
  return { asked, context: { client: () => client } as unknown as Context };
};

describe('a data set of the service', () => {
  it('gives the images at any indices, and asks for no others', async () => {
    const { asked, context } = service();
    const named = await findNamedDataset('pets', context);
    const options = { dataset: 'pets', split: 'test', indices: '3-5, 100-199, 7' } as const;
    const source = await openImages(options, { folders: {}, named });
    expect(source).toMatchObject({
      ...{ description: { dataset: 'pets', digest: detail.digest, split: 'test' }, count: 250 },
      ...{ budgets: detail.budgets, shapes: [shape] },
    });
    const { images, labels } = await source.read(shape);
    const indices = source.indices;
    expect(labels).toEqual(indices.map((i) => i % 3));
    expect(images).toEqual(Float32Array.from(indices.flatMap((i) => Array(6).fill(i / 255))));
    expect(asked.reduce((sum, { count }) => sum + Math.min(40, count), 0)).toBe(indices.length);
    await expect(openImages({ ...options, indices: '250' }, { folders: {}, named })).rejects.toThrow(
      /Expected indices below 250, the test images of pets, but got 250/,
    );
  });

  it('gives presets its usual ε', async () => {
    const { budgets } = await findNamedDataset('pets', service().context);
    const { specs } = readAttacks(['preset:autoattack'], {}, budgets);
    expect(new Set(specs.map(({ settings }) => 'epsilon' in settings && settings.epsilon))).toEqual(
      new Set([detail.budgets.linf]),
    );
  });

  it('says where the default ε of an attack is far above the usual one, and which ε images of the user meet', () => {
    const usual = { budgets: usualBudgets([32, 32, 3]), dataset: 'photographs' };
    const specsOf = (...names: string[]) => readAttacks(names, {}).specs;
    expect(epsilonNotes(specsOf('pgd-linf', 'deepfool-l2'), { usual })).toEqual([
      expect.stringMatching(
        /^ε 0\.3 of pgd-linf is [\d.]+ times the usual ε of photographs \(L∞ 0\.0314\): nearly every image/,
      ),
    ]);
    const given = (epsilon: number, more: object) =>
      epsilonNotes(readAttacks(['pgd-linf'], { epsilon }).specs, { ...more, isGiven: true });
    expect(given(8 / 255, { usual })).toEqual([]);
    expect(given(0.2, { usual })).toEqual([
      'ε 0.2 of pgd-linf is 6.38 times the usual ε of photographs (L∞ 0.0314): nearly every image of every model will be fooled',
    ]);
    expect(given(0.2, {})).toEqual([]);
    expect(epsilonNotes(specsOf('pgd-linf', 'pgd-l2'), {})).toEqual([
      'The attacks take ε = L∞ 0.3 or L2 2, as for MNIST, which is too large for photographs',
    ]);
    expect(epsilonNotes(specsOf('deepfool-l2'), {})).toEqual([]);
  });

  it('is not asked for when the name is built in, and an unknown name is refused', async () => {
    const { context } = service();
    const nobody = {
      client: () => {
        throw new Error('nobody may ask');
      },
    } as unknown as Context;
    expect(await findNamedDataset('mnist', nobody)).toEqual({
      ...{ name: 'mnist', budgets: datasets.mnist.budgets, stored: null },
    });
    await expect(findNamedDataset('cats', context)).rejects.toThrow(
      'Expected mnist, fashion-mnist, glyphs, glyphs-colour, or the name of a data set that the service has, but got cats\n→ See `npx funnel data ls`.',
    );
    await expect(findNamedDataset('mnits', context)).rejects.toThrow(
      'that the service has, but got mnits: did you mean "mnist"?\n→ See `npx funnel data ls`.',
    );
  });
});
