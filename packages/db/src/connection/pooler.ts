/**
 * Poolers, such as PgBouncer, between Funnel and PostgreSQL. Behind a pooler in transaction mode, each transaction may run on another
 * connection to the server. So nothing may depend on the session: no prepared statements, no LISTEN, no settings of the connection.
 */
import { AppError } from '@funnel/contracts';
import pg from 'pg';
import { type AddressName, databaseError, partAt } from './database-errors.ts';

type Connection = Pick<pg.ClientBase, 'query'>;

/**
 * Whether a pooler answers on this connection. A pooler tells its clients a process id of its own, and PostgreSQL tells the id of the process
 * that ran the statement.
 */
export const isPooled = async (client: Connection): Promise<boolean> => {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const told = (client as Connection & { readonly processID?: number | null }).processID; // the types of pg lack it
  return rows[0]!.pid !== told;
};

/** An address of PostgreSQL, and the variable that names it. */
export type NamedAddress = { readonly url: string; readonly name: AddressName };

/** Milliseconds. A server that takes longer to answer counts as away. */
const answerTimeoutMs = 5_000;

/** Errors: UNAVAILABLE while the server is away. */
const answersPooler = async ({ url, name }: NamedAddress): Promise<boolean> => {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'funnel start',
    connectionTimeoutMillis: answerTimeoutMs,
    query_timeout: answerTimeoutMs,
  });
  client.on('error', () => {}); // the query also rejects with this error
  try {
    await client.connect();
    return await isPooled(client);
  } catch (error) {
    throw databaseError(error, name);
  } finally {
    await client.end().catch(() => {}); // closed or broken
  }
};

/** `what`: what needs a connection that keeps its state. */
const poolerFault = ({ name }: NamedAddress, what: string): AppError => {
  const mend =
    name === 'DATABASE_URL'
      ? 'leave DATABASE_URL as it is, and write the address of PostgreSQL itself into DATABASE_DIRECT_URL'
      : `write the address of PostgreSQL itself into ${name}`;
  return new AppError(
    'UNAVAILABLE',
    `Expected ${name} to lead to PostgreSQL itself, because ${what} must keep a connection, but a pooler answers there: ${mend}`,
    { part: partAt(name) },
  );
};

/** Refuses a pooler at the address on which an API listens for events. Errors: UNAVAILABLE, also while the server is away. */
export const refusePooler = async (address: NamedAddress): Promise<void> => {
  if (await answersPooler(address)) throw poolerFault(address, 'the stream of events');
};

/** Refuses a pooler at the address of a queue. A queue that is away passes, because API and workers start without it. Errors: UNAVAILABLE. */
export const refusePooledQueue = async (address: NamedAddress): Promise<void> => {
  if (await answersPooler(address).catch(() => false)) throw poolerFault(address, 'the queue');
};
