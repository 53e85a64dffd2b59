/** Handlers of the search of a sweep. */
import type { DecidedSearch, SearchDecision, Sweep } from '@funnel/contracts';
import {
  actingAs,
  addHandPoint,
  type Db,
  extendSearch,
  getSweep,
  isNumber,
  pageOf,
  readCursor,
  readSearch,
  type SearchRecord,
} from '@funnel/db';
import { checkPoint, describeDecisions, describeSearch, wantedValues } from '@funnel/proposer';
import type { Context, Handlers } from './handler.ts';

type SearchHandlers = Pick<Handlers, 'getSearch' | 'listDecisions' | 'extendSearch' | 'tryPoint'>;

/** Errors: NOT_FOUND. */
const recordOf = async (db: Db, id: string): Promise<SearchRecord> => {
  const { definition } = await readSearch(db, id, []);
  return readSearch(db, id, wantedValues(definition));
};

export const searchHandlers = ({ db, limits, proposer }: Context): SearchHandlers => ({
  getSearch: async ({ params }) => describeSearch(params.id, await recordOf(db, params.id)),

  listDecisions: async ({ params, query: { cursor, limit } }) => {
    const after = cursor === undefined ? -1 : readCursor(cursor, isNumber);
    const decisions = describeDecisions(await recordOf(db, params.id)).filter(({ number }) => number > after);
    return pageOf(decisions.slice(0, limit + 1), limit, ({ number }: SearchDecision) => number);
  },

  extendSearch: async ({ params, body, author }): Promise<Sweep> => {
    await extendSearch(actingAs(db, author), params.id, { more: body.trials, limits });
    proposer.wake();
    const { definition, stages, waitsFor, ...sweep } = await getSweep(db, params.id);
    return sweep;
  },

  tryPoint: async ({ params, body, author }) => {
    const { definition } = await readSearch(db, params.id, []);
    checkPoint(definition, body.point);
    await addHandPoint(actingAs(db, author), params.id, body.point);
    proposer.wake();
    return describeSearch(params.id, await recordOf(db, params.id));
  },
});
