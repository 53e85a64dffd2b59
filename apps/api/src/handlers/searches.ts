/** Handlers of the search of a sweep. */
import type { SearchDecision, Sweep } from '@funnel/contracts';
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
import {
  checkPoint,
  describeDecisions,
  describeSearch,
  extendedDefinition,
  wantedValues,
} from '@funnel/proposer';
import type { Context, Handlers } from './handler.ts';

type SearchHandlers = Pick<Handlers, 'getSearch' | 'listDecisions' | 'extendSearch' | 'tryPoint'>;

/** Errors: NOT_FOUND. */
const recordOf = (db: Db, id: string): Promise<SearchRecord> => readSearch(db, id, wantedValues);

export const searchHandlers = ({
  db,
  limits,
  planning,
  proposer,
  engineVersion,
}: Context): SearchHandlers => ({
  getSearch: async ({ params }) => describeSearch(params.id, await recordOf(db, params.id)),

  listDecisions: async ({ params, query: { cursor, limit } }) => {
    const after = cursor === undefined ? -1 : readCursor(cursor, isNumber);
    const decisions = describeDecisions(await recordOf(db, params.id)).filter(({ number }) => number > after);
    return pageOf(
      decisions.slice(0, limit + 1),
      limit,
      (decision) => decision,
      ({ number }: SearchDecision) => number,
    );
  },

  extendSearch: async ({ params, body, author, client, signal }): Promise<Sweep> => {
    const { definition: written, configurations } = await readSearch(db, params.id);
    const definition = extendedDefinition(written, { configurations, more: body.trials });
    const plan = await planning.plan({ definition, engineVersion }, { caller: client, signal });
    await extendSearch(actingAs(db, author), params.id, {
      ...{ from: configurations, to: configurations + body.trials },
      ...{ plan, limits },
    });
    proposer.wake();
    const { definition: _, notes, stages, waitsFor, ...sweep } = await getSweep(db, params.id);
    return sweep;
  },

  tryPoint: async ({ params, body, author }) => {
    const { definition } = await readSearch(db, params.id);
    const point = checkPoint(definition, body.point);
    await addHandPoint(actingAs(db, author), params.id, point);
    proposer.wake();
    return describeSearch(params.id, await recordOf(db, params.id));
  },
});
