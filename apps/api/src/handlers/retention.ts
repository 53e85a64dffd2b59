import { collectGarbage } from '@funnel/db';
import type { Handlers } from '../routing/handler.ts';
import type { Context } from './context.ts';

/** Milliseconds that one call may collect: well below what a request may take. */
const patience = 20_000;

export const retentionHandlers = ({ db }: Context): Pick<Handlers, 'planCollection' | 'collectGarbage'> => ({
  planCollection: ({ body }) => collectGarbage(db, body, { dryRun: true }),
  collectGarbage: async ({ body }, reply) => {
    const collected = await collectGarbage(db, body, { dryRun: false, patience });
    const { sweeps, ...counts } = collected;
    reply.note({ policy: body, ...counts });
    return collected;
  },
});
