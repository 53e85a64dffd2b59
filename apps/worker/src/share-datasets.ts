/**
 * Puts a built-in data set of this machine into the service when another worker lacks it: whoever has MNIST on its disk gives it to all. The
 * service then has it like any data set of a user.
 */
import { Readable } from 'node:stream';
import {
  type Dataset,
  type DatasetContent,
  type DatasetName,
  datasetNames,
  datasets,
  type WorkerDataset,
} from '@funnel/contracts';
import { type Db, storeDataset, wantedDatasets } from '@funnel/db';
import { canonicalPieces, type DataFolders, loadDataset } from '@funnel/engine';
import type { Logger } from 'pino';

/** The owner of data sets that workers have put into the service. */
const owner = 'worker';

const share = async (db: Db, name: DatasetName, folders: DataFolders): Promise<void> => {
  const { shape, classes, train, test }: Dataset = datasets[name];
  const loaded = await loadDataset({ name, train, test, attack: 1 }, folders);
  const splits = { train: await loaded.train(), test: await loaded.test() };
  const content: DatasetContent = { shape: [...shape], classes: [...classes], train, test };
  await storeDataset(db, { name, content, owner }, Readable.from(canonicalPieces(content, splits)));
};

/** The built-in data sets that consist of files, and that a worker has as a whole. */
const wholeOf = (found: readonly WorkerDataset[]): readonly DatasetName[] =>
  datasetNames.filter((name) => {
    const { files, digest, train, test }: Dataset = datasets[name];
    return (
      files.length > 0 && found.some((each) => each.digest === digest && each.images >= Math.max(train, test))
    );
  });

export type ShareOptions = {
  readonly db: Db;
  readonly folders: DataFolders;
  /** What this machine has; null for a simulated worker, which has no images. */
  readonly found: readonly WorkerDataset[] | null;
  readonly log: Logger;
};

/** Puts the data sets into the service that ready stages need, that the service lacks, and that this machine has and another worker has not. */
export const shareDatasets = async ({ db, folders, found, log }: ShareOptions): Promise<void> => {
  const names = wholeOf(found ?? []);
  if (names.length === 0) return;
  const wanted = await wantedDatasets(
    db,
    names.map((name) => datasets[name].digest),
  );
  for (const name of names.filter((each) => wanted.includes(datasets[each].digest))) {
    await share(db, name, folders);
    log.info({ dataset: name }, 'put a data set into the service, because another worker lacks it');
  }
};
