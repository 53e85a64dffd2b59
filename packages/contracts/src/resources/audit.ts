/** The audit log in the answers of the API. */
import { z } from 'zod';
import { Time } from './fields.ts';

/** One change: the token that made it, the action, the changed object and the address of the client. */
export const AuditEntry = z
  .strictObject({
    id: z.int(),
    at: Time,
    actor: z.string().meta({
      description:
        'Name of the token; `local` if the API needs no token; `cli` for a command, and `environment` for a token of the environment.',
    }),
    action: z.string().meta({ description: 'Name of the route.' }),
    subject: z.string().nullable().meta({ description: 'Id of the changed sweep or token.' }),
    address: z.string().nullable(),
    details: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'AuditEntry' });
export type AuditEntry = z.infer<typeof AuditEntry>;
