/** Handlers of the search of a sweep. */
import {
  AppError,
  type SearchDecision,
  type StoredDefinition,
  type Sweep,
  SweepDefinition,
} from '@funnel/contracts';
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

/** The definition of the search with so many configurations. Errors: INVALID_REQUEST for more than its strategy takes. */
const extended = ({ search, ...definition }: StoredDefinition, trials: number): SweepDefinition => {
  const found = SweepDefinition.safeParse({ ...definition, search: { ...search, trials } });
  if (found.success) return found.data;
  const [issue] = found.error.issues;
  throw new AppError(
    'INVALID_REQUEST',
    `Expected a search that can be extended to ${trials} configurations: ${issue!.message}`,
    {
      issues: [{ path: 'trials', expected: issue!.message, received: String(trials) }],
    },
  );
};

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
    const { definition: written, configurations: from } = await readSearch(db, params.id, []);
    const to = from + body.trials;
    const plan = await planning.plan(
      { definition: extended(written, to), engineVersion },
      { caller: client, signal },
    );
    await extendSearch(actingAs(db, author), params.id, { from, to, plan, limits });
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
