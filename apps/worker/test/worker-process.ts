/** A worker as `apps/worker/src/main.ts` runs it, with options as JSON and a word to the test when it is there, or cannot go on. */
import { pino } from 'pino';
import { startWorker } from '../src/index.ts';

const worker = await startWorker({ ...JSON.parse(process.argv[2] ?? '{}'), log: pino({ level: 'silent' }) });
process.on('SIGTERM', () => void worker.stop().then(() => process.exit(0)));
worker.failed.catch(async (error: Error) => {
  process.send?.({ failed: error.message });
  await worker.stop();
  process.exit(1);
});
process.send?.({ id: worker.id, trainers: worker.trainers() });
