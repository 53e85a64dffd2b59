/** Routes for data sets. The service takes and gives them in canonical form only (`dataset-content.ts`), and decodes no other format. */
import { z } from 'zod';
import { Sha256 } from '../checkpoint.ts';
import { datasetChunkBytes } from '../dataset-content.ts';
import { DatasetSlug } from '../dataset-spec.ts';
import { fixedLimit } from '../limits.ts';
import {
  DatasetDetail,
  DatasetEntry,
  DatasetImages,
  DatasetImagesQuery,
  DatasetProgress,
  DatasetUpload,
  UnfinishedDataset,
} from '../resources/datasets.ts';
import type { Route } from './route.ts';

/** The name of a data set, or its digest. */
const ByName = z.strictObject({ name: DatasetSlug.or(Sha256) });
const ByChunk = z.strictObject({
  digest: Sha256,
  number: z.coerce.number<number | string>().int().min(0).max(1e6),
});

export const datasetRoutes = {
  listDatasets: {
    method: 'GET',
    url: '/v1/datasets',
    summary:
      'The data sets that a sweep may name: the built-in ones, then those of users by name. Also the unfinished uploads of the caller.',
    role: 'read',
    response: z.strictObject({
      items: z.array(DatasetEntry),
      unfinished: z.array(UnfinishedDataset).default([]),
    }),
    errors: [],
  },
  getDataset: {
    method: 'GET',
    url: '/v1/datasets/:name',
    summary: 'One data set, by name or digest: its classes with their numbers of images, mean and deviation.',
    role: 'read',
    params: ByName,
    response: DatasetDetail,
    errors: ['NOT_FOUND'],
  },
  addDataset: {
    method: 'POST',
    url: '/v1/datasets',
    summary:
      'Give a name to a data set. Answers which chunks are missing: send them, and ask again until it is complete. May be repeated.',
    role: 'submit',
    body: DatasetUpload,
    isRepeatable: true,
    response: DatasetProgress,
    errors: ['DATASET_TOO_LARGE', 'DATASET_CORRUPT', 'NAME_TAKEN', 'TOO_MANY_DATASETS'],
  },
  addDatasetArrays: {
    method: 'POST',
    url: '/v1/datasets/:name/arrays',
    summary:
      'Add a data set from a notebook: the body is two arrays, each as numpy.save writes it, first labels and then images.',
    role: 'submit',
    params: z.strictObject({ name: DatasetSlug }),
    query: z.strictObject({
      test: z.coerce.number<number | string>().int().min(1).max(fixedLimit('arrayImages')).meta({
        description: 'How many of the last images are the test split.',
      }),
    }),
    bytes: fixedLimit('arrayBytes'),
    isStreamed: true,
    isRepeatable: true,
    seconds: 60,
    response: DatasetDetail,
    errors: ['DATASET_TOO_LARGE', 'NAME_TAKEN', 'NOT_FOUND', 'TOO_MANY_DATASETS'],
  },
  putDatasetChunk: {
    method: 'PUT',
    url: '/v1/datasets/:digest/chunks/:number',
    summary: 'Send one chunk of a data set that was announced.',
    role: 'submit',
    params: ByChunk,
    bytes: datasetChunkBytes,
    response: z.strictObject({ missing: z.int().min(0).meta({ description: 'Number of missing chunks.' }) }),
    errors: ['NOT_FOUND', 'DATASET_CORRUPT', 'RATE_LIMITED'],
  },
  getDatasetChunk: {
    method: 'GET',
    url: '/v1/datasets/:digest/chunks/:number',
    summary: 'One chunk of a complete data set.',
    role: 'read',
    params: ByChunk,
    produces: 'application/octet-stream',
    errors: ['NOT_FOUND'],
  },
  getDatasetImages: {
    method: 'GET',
    url: '/v1/datasets/:name/images',
    summary: 'Some images of a data set that the service has.',
    role: 'read',
    params: ByName,
    query: DatasetImagesQuery,
    response: DatasetImages,
    errors: ['NOT_FOUND'],
  },
  removeDataset: {
    method: 'DELETE',
    url: '/v1/datasets/:name',
    summary:
      'Remove the name of a data set, or an unfinished upload of the caller by its name or digest. Old sweeps keep their images; a later collection of garbage frees the rest.',
    role: 'submit',
    params: ByName,
    status: 204,
    errors: ['NOT_FOUND'],
  },
} as const satisfies Record<string, Route>;
