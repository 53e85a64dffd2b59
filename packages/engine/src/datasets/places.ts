/** Where data sets lie on this machine. */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type DatasetName, datasets } from '@funnel/contracts';

/** `dir`: what FUNNEL_DATA names. `home`: what FUNNEL_HOME names; downloads go to its `data`. */
export type DataPlaces = { readonly dir?: string | null; readonly home?: string | null };

const repository = resolve(dirname(fileURLToPath(import.meta.url)), '../../../..');

/** Folders that may hold `mnist/` and `fashion-mnist/`, in the order in which they are searched. */
export const dataFolders = ({ dir, home }: DataPlaces): readonly string[] => [
  ...(dir ? [resolve(dir)] : []),
  ...(home ? [resolve(home, 'data')] : []),
  resolve(repository, '../shared/data'),
];

/** The first folder that holds every file of a data set, or null. Says nothing of whether they are whole. */
export const findDataset = (name: DatasetName, places: DataPlaces): string | null => {
  const names = datasets[name].files.map((file) => file.name);
  const holds = (folder: string): boolean => names.every((file) => existsSync(join(folder, file)));
  return (
    dataFolders(places)
      .map((folder) => join(folder, name))
      .find(holds) ?? null
  );
};
