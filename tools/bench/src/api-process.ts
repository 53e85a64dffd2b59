/** The API on a given database, until the process that started it lets go. */
import { startApi } from '@funnel/api';
import { engineVersion } from '@funnel/engine/engine-version';
import { pino } from 'pino';

const { databaseUrl } = JSON.parse(process.argv[2] ?? '{}') as { databaseUrl: string }; // written by processes.ts
const api = await startApi({
  databaseUrl,
  port: 0,
  engineVersion,
  logger: pino({ level: 'warn' }, pino.destination(2)),
});
process.once('disconnect', () => void api.close().then(() => process.exit(0)));
process.on('SIGINT', () => {}); // the process that started it says when
process.send?.(api.url);
