import { limits as declared, type LimitName, type LimitState, limitNames } from '@funnel/contracts';
import { datasetBytesOf, datasetNamesOf, listUnfinished, readClientUse } from '@funnel/db';
import { type Context, type Handlers, localCaller, type RouteRequest } from './handler.ts';

/** How much of each limit the caller uses, where it is counted. */
const readUse = async (
  { db, hub, planning }: Context,
  { client, caller }: RouteRequest<'listLimits'>,
): Promise<Partial<Record<LimitName, number>>> => {
  const { submissions, sweeps, stored, expected } = await readClientUse(db, client);
  return {
    ownPlans: planning.plansOf(client),
    ownSubmissions: submissions,
    ownSweeps: sweeps,
    ownBytes: Math.round(stored + expected),
    ownUploads: (await listUnfinished(db, caller.name)).length,
    ownDatasetBytes: await datasetBytesOf(db, caller.name),
    ownDatasetNames: await datasetNamesOf(db, caller.name),
    ...(caller !== localCaller && { ownStreams: hub.streamsOf(caller.name) }),
  };
};

export const limitHandlers = (context: Context): Pick<Handlers, 'listLimits'> => ({
  listLimits: async (request) => {
    const used = await readUse(context, request);
    const values: Partial<Record<LimitName, number>> = context.limits;
    return {
      items: limitNames.flatMap((name): LimitState | readonly [] => {
        const { unit, variable, text, default: fixed } = declared[name];
        const value = values[name] ?? fixed;
        return value === null ? [] : { name, value, unit, variable, text, used: used[name] ?? null };
      }),
    };
  },
});
