/** A data set that `--dataset` names: a built-in one on this machine, or one that the service has. */
import { FunnelError } from '@funnel/client';
import {
  type Budgets,
  type DatasetDetail,
  datasetNames,
  datasets,
  didYouMean,
  isBuiltIn,
} from '@funnel/contracts';
import { runsOf } from '@funnel/engine/datasets/split';
import type { Context } from '../context.ts';
import { Exit, exitCodes } from '../exit.ts';
import type { Images } from './images.ts';

export type NamedDataset = {
  readonly name: string;
  readonly budgets: Budgets;
  /** What the service says of it, and a client of the service; null for a built-in one. */
  readonly stored: { readonly detail: DatasetDetail; readonly client: ReturnType<Context['client']> } | null;
};

/** Asks the service only for a name that is not built in. Throws Exit where the service does not answer or has no such data set. */
export const findNamedDataset = async (name: string, { client }: Context): Promise<NamedDataset> => {
  if (isBuiltIn(name)) return { name, budgets: datasets[name].budgets, stored: null };
  const service = client();
  try {
    const detail = await service.getDataset({ params: { name } });
    return { name, budgets: detail.budgets, stored: { detail, client: service } };
  } catch (error) {
    const expected = `Expected ${datasetNames.join(', ')}, or the name of a data set that the service has, but got ${name}`;
    // The service refuses what cannot be a name with INVALID_REQUEST.
    if (error instanceof FunnelError && ['NOT_FOUND', 'INVALID_REQUEST'].includes(error.problem.code)) {
      const question = didYouMean(name, datasetNames);
      throw new Exit(
        exitCodes.usage,
        `${expected}${question === null ? '' : `: ${question}`}\n→ See \`npx funnel data ls\`.`,
      );
    }
    const reason = error instanceof Error ? error.message : String(error);
    throw new Exit(exitCodes.usage, `${expected}. ${reason}`);
  }
};

/** The most images of one answer of the service. */
const perAnswer = 100;

/** The images at `indices`, from the service. Reads no others. */
export const readStoredImages = async (
  { detail, client }: NonNullable<NamedDataset['stored']>,
  split: 'train' | 'test',
  indices: readonly number[],
): Promise<Images> => {
  const size = detail.shape.reduce((a, b) => a * b, 1);
  const images = new Float32Array(indices.length * size);
  const labels: number[] = [];
  for (const { at, index, count } of runsOf(indices))
    for (let done = 0; done < count; ) {
      const query = { split, from: index + done, count: Math.min(perAnswer, count - done) };
      const answer = await client.getDatasetImages({ params: { name: detail.digest }, query });
      for (const [i, text] of answer.images.entries()) {
        const bytes = Buffer.from(text, 'base64');
        images.set(
          Float32Array.from(bytes, (byte) => byte / 255),
          (at + done + i) * size,
        );
        labels[at + done + i] = answer.label[i]!;
      }
      if (answer.images.length === 0)
        throw new Error(`Expected image ${index + done} from the service, but got none`);
      done += answer.images.length;
    }
  return { images, labels };
};
