/** The API on a given database, until the parent process disconnects. */
import { startApi } from '@funnel/api';
import { engineVersion } from '@funnel/engine/engine-version';
import { pino } from 'pino';

const { databaseUrl } = JSON.parse(process.argv[2] ?? '{}') as { databaseUrl: string }; // see processes.ts
const api = await startApi({
  databaseUrl,
  port: 0,
  engineVersion,
  logger: pino({ level: 'warn' }, pino.destination(2)),
});
process.once('disconnect', () => void api.close().then(() => process.exit(0)));
process.on('SIGINT', () => {}); // the parent process decides when
process.send?.(api.url);
