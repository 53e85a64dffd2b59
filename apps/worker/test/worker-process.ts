/** A worker process like `apps/worker/src/main.ts`, with options as JSON. It tells the test when it has started, or cannot go on. */
import { pino } from 'pino';
import { startWorker } from '../src/index.ts';

const worker = await startWorker({ ...JSON.parse(process.argv[2] ?? '{}'), log: pino({ level: 'silent' }) });
const end = (code: number): Promise<never> =>
  worker.stop().then(() => process.exit(worker.notClosed().length > 0 ? 1 : code));
process.on('SIGTERM', () => void end(0));
worker.failed.catch((error: Error) => {
  process.send?.({ failed: error.message });
  void end(1);
});
process.send?.({ id: worker.id, trainers: worker.trainers() });
