/** What the names in a definition stand for now: its data set, and the sweeps that its search learns from. */
import { isDecided, type SweepDefinition } from '@funnel/contracts';
import { type Db, resolveSweeps } from '@funnel/db';
import { type Resolved, resolveDataset } from './resolve-dataset.ts';
import { issuesBy, together } from './together.ts';

/** The definition as it is stored: with the content of its data set, and with ids in `search.from`. Errors: those of `resolveDataset`, and INVALID_REQUEST. */
export const resolveNames = async (db: Db, definition: SweepDefinition): Promise<Resolved> => {
  const { search } = definition;
  if (!isDecided(search) || search.from === undefined) return resolveDataset(db, definition);
  const from = await resolveSweeps(db, search.from).catch(async (error: unknown) => {
    throw together(error, await issuesBy(() => resolveDataset(db, definition)));
  });
  return resolveDataset(db, { ...definition, search: { ...search, from } });
};
