import { within } from '@funnel/contracts';
import {
  actingAs,
  addDataset,
  getDataset,
  getDatasetChunk,
  getDatasetImages,
  listDatasets,
  listUnfinished,
  putDatasetChunk,
  removeDataset,
  storeDataset,
} from '@funnel/db';
import { readArrays } from '../datasets/read-arrays.ts';
import { type Context, type Handlers, keepForever } from './handler.ts';

type DatasetHandlers = Pick<
  Handlers,
  | 'listDatasets'
  | 'getDataset'
  | 'addDataset'
  | 'addDatasetArrays'
  | 'putDatasetChunk'
  | 'getDatasetChunk'
  | 'getDatasetImages'
  | 'removeDataset'
>;

/** Milliseconds for which a request waits for the check of a data set. The check of a small one ends earlier. */
const checkWaitMs = 5000;

export const datasetHandlers = ({ db, datasetChecks, limits }: Context): DatasetHandlers => ({
  listDatasets: async ({ caller }) => ({
    items: await listDatasets(db),
    unfinished: await listUnfinished(db, caller.name),
  }),
  getDataset: ({ params }) => getDataset(db, params.name),
  addDataset: async ({ body, author, caller }) => {
    const add = () => addDataset(actingAs(db, author), body, { owner: caller.name, limits });
    const progress = await add();
    if (progress.status !== 'checking') return progress;
    return (await within(checkWaitMs, datasetChecks.check(body.digest))) ? add() : progress;
  },
  addDatasetArrays: async ({ params: { name }, query, body, author, caller }) => {
    const { content, parts } = await readArrays(body, query.test);
    await storeDataset(actingAs(db, author), { name, content, owner: caller.name, limits }, parts);
    return getDataset(db, name);
  },
  putDatasetChunk: async ({ params, body, author }) => {
    const { digest } = params;
    const progress = await putDatasetChunk(actingAs(db, author), { ...params, bytes: body });
    if (progress.missing === 0) void datasetChecks.check(digest);
    return progress;
  },
  getDatasetChunk: async ({ params }, reply) => {
    const bytes = await getDatasetChunk(db, params);
    keepForever(reply);
    return bytes;
  },
  getDatasetImages: ({ params, query }) => getDatasetImages(db, params.name, query),
  removeDataset: async ({ params, author, caller }) => {
    await removeDataset(actingAs(db, author), params.name, { owner: caller.name });
    return undefined;
  },
});
