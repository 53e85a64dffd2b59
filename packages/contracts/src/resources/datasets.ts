/** Data sets that the service has: what it says about them, and how one comes in. */
import { z } from 'zod';
import { Sha256 } from '../checkpoint.ts';
import { DatasetContent, maxSplitImages } from '../dataset-content.ts';
import { DatasetSlug, SweepContent } from '../dataset-spec.ts';
import { Count, Time } from './fields.ts';

/** What the service computed when it checked the whole data set. */
export const DatasetSummary = z.strictObject({
  /** Images of each class, by label. */
  trainCounts: z.array(Count),
  testCounts: z.array(Count),
  /** The index of the first training image of each class; null: there is none. */
  trainFirsts: z.array(Count.nullable()),
  /** Of all bytes of the training images, 255 stands for 1. */
  mean: z.number(),
  deviation: z.number(),
});
export type DatasetSummary = z.infer<typeof DatasetSummary>;

export const DatasetEntry = z
  .strictObject({
    name: DatasetSlug,
    title: z.string(),
    digest: Sha256.meta({ description: 'SHA-256 of the canonical form.' }),
    shape: SweepContent.shape.shape,
    classCount: Count,
    train: Count,
    test: Count,
    budgets: SweepContent.shape.budgets.meta({ description: 'The usual ε of attacks.' }),
    isBuiltIn: z.boolean(),
    isStored: z.boolean().meta({ description: 'The service has the images, so every worker can get them.' }),
    workers: Count.meta({
      description: 'Live workers that have the images on their own disk, or generate them.',
    }),
    bytes: Count.nullable(),
    owner: z.string().nullable().meta({ description: 'The token that added it; `local` without tokens.' }),
    createdAt: Time.nullable(),
  })
  .meta({ id: 'DatasetEntry' });
export type DatasetEntry = z.infer<typeof DatasetEntry>;

export const DatasetDetail = DatasetEntry.extend({
  classes: DatasetContent.shape.classes.meta({ description: 'The names of the classes, by label.' }),
  summary: DatasetSummary.nullable().meta({ description: 'Null if the service does not have the images.' }),
}).meta({ id: 'DatasetDetail' });
export type DatasetDetail = z.infer<typeof DatasetDetail>;

/** More chunks than any limit of bytes allows. */
const maxChunks = 100_000;

/** A name, and the data set that it shall have. */
export const DatasetUpload = z
  .strictObject({
    name: DatasetSlug,
    digest: Sha256.meta({ description: 'SHA-256 of the canonical form.' }),
    content: DatasetContent,
    chunks: z.array(Sha256).min(1).max(maxChunks).meta({
      description: 'SHA-256 of each chunk of the canonical form: 4 MiB each, the last one smaller.',
    }),
  })
  .meta({ id: 'DatasetUpload' });
export type DatasetUpload = z.infer<typeof DatasetUpload>;

/** How far a data set has come in. */
export const DatasetProgress = z
  .strictObject({
    digest: Sha256,
    status: z.enum(['receiving', 'checking', 'complete']).meta({
      description:
        '`receiving`: chunks are missing. `checking`: the service checks the whole; ask again. `complete`: the name stands for it.',
    }),
    missing: z.array(Count).meta({ description: 'The numbers of the missing chunks.' }),
  })
  .meta({ id: 'DatasetProgress' });
export type DatasetProgress = z.infer<typeof DatasetProgress>;

/** An upload of the caller that is not complete. It takes up the caller's room. */
export const UnfinishedDataset = z
  .strictObject({
    name: DatasetSlug.nullable().meta({
      description: 'The name that it shall get; null if an older version announced it.',
    }),
    digest: Sha256.meta({ description: 'Of an upload as arrays: a stand-in until all bytes are there.' }),
    status: z.enum(['receiving', 'checking', 'refused']).meta({
      description: '`refused`: the bytes are not what was announced. The next upload begins anew.',
    }),
    received: Count.meta({ description: 'How many of all bytes are there.' }),
    bytes: Count,
    deletedAt: Time.meta({ description: 'When it is deleted, unless somebody asks for its missing chunks.' }),
  })
  .meta({ id: 'UnfinishedDataset' });
export type UnfinishedDataset = z.infer<typeof UnfinishedDataset>;

/** Images in one answer at most, and their bytes. */
export const maxShownImages = 100;
export const maxShownBytes = 4 * 2 ** 20;

export const DatasetImagesQuery = z.strictObject({
  split: z.enum(['train', 'test']).default('test'),
  from: z.coerce.number<number | string>().int().min(0).max(maxSplitImages).default(0),
  count: z.coerce.number<number | string>().int().min(1).max(maxShownImages).default(24).meta({
    description: 'Fewer come back at the end of the split, and of large images: an answer has at most 4 MiB.',
  }),
});
export type DatasetImagesQuery = z.infer<typeof DatasetImagesQuery>;

export const DatasetImages = z
  .strictObject({
    shape: SweepContent.shape.shape,
    index: z.array(Count),
    label: z.array(Count),
    /** Bytes 0–255 in base64, each with `shape`. */
    images: z.array(z.string()),
  })
  .meta({ id: 'DatasetImages' });
export type DatasetImages = z.infer<typeof DatasetImages>;
