/** Handlers of the search of a sweep. */
import { readExtended, type SearchDecision, type SearchState, type Sweep } from '@funnel/contracts';
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
  unitEvidence,
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

/** The best, or the front, with what says how sure its values are. */
const withEvidence = async (db: Db, state: SearchState, record: SearchRecord): Promise<SearchState> => {
  const shown = [...(state.best ? [state.best] : []), ...state.front];
  const trialOf = new Map(record.decisions.map(({ number, trials }) => [number, trials[0]?.id]));
  const units = shown.map(({ decision, values }) => ({
    trial: trialOf.get(decision)!, // a measured unit has trials
    values: values.map((value) => readExtended<never>(value)),
  }));
  const objectives = wantedValues(record.definition).slice(0, state.objectives.length);
  const found = await unitEvidence(db, units, objectives);
  const known = shown.map((each, i) => ({
    ...each,
    evidence: [...found[i]!.evidence],
    verdict: found[i]!.verdict,
  }));
  return state.best ? { ...state, best: known[0]! } : { ...state, front: known };
};

const stateOf = async (db: Db, id: string): Promise<SearchState> => {
  const record = await recordOf(db, id);
  return withEvidence(db, describeSearch(id, record), record);
};

export const searchHandlers = ({
  db,
  limits,
  planning,
  proposer,
  engineVersion,
}: Context): SearchHandlers => ({
  getSearch: ({ params }) => stateOf(db, params.id),

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
    return stateOf(db, params.id);
  },
});
