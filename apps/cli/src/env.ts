/**
 * The environment variables that the command line itself reads. API and workers that it starts read their own. .env.example lists every
 * variable.
 */
import { resolve } from 'node:path';
import { z } from 'zod';
import { readAddress } from './home.ts';

/** As the API reads tokens: they travel in a header, after a space. */
const token = z
  .string()
  .regex(/^[!-~]{1,500}$/, 'Expected a token: letters, digits and signs of ASCII without spaces or quotes');

export const Env = z.object({
  DATABASE_URL: z.string().optional(),
  DATABASE_DIRECT_URL: z.string().optional(),
  REDIS_URL: z.string().optional(),
  FUNNEL_HOME: z.string().default('.funnel'),
  FUNNEL_DATA: z.string().optional(),
  FUNNEL_PORT: z.coerce.number().int().min(0).max(65_535).default(7070),
  FUNNEL_URL: z.string().optional(),
  FUNNEL_TOKEN: token.optional(),
  FUNNEL_ADMIN_TOKEN: token.optional(),
  FUNNEL_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
});
export type Env = z.infer<typeof Env>;

/** Throws a ZodError that names every wrong variable. An empty variable counts as not set. */
export const readEnv = (variables: NodeJS.ProcessEnv): Env =>
  Env.parse(Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== '')));

/**
 * Where data sets lie: in the folder of FUNNEL_DATA, else in that of the Funnel which runs in FUNNEL_HOME (`npm start -- --data FOLDER`), and in
 * `data` of Funnel's own folder.
 */
export const dataFoldersOf = ({ FUNNEL_DATA, FUNNEL_HOME }: Env) => ({
  dir: FUNNEL_DATA ?? readAddress(FUNNEL_HOME)?.data ?? null,
  home: resolve(FUNNEL_HOME),
});
