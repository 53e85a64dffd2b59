/**
 * A queue in its own process. It prints `there` or `away` when the state of the queue changes, `received STAGE` for each notification, and
 * `fault MESSAGE` for each report. SIGTERM only closes the queue: the process ends when the queue has released all of its resources.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createStageQueue } from '../src/stage-queue.ts';

const [url = '', name = ''] = process.argv.slice(2);
const print = (text: string): void => void process.stdout.write(`${text}\n`);

const closing = new AbortController();
process.once('SIGTERM', () => closing.abort());

const queue = await createStageQueue({ url, name, onError: ({ message }) => print(`fault ${message}`) });
await queue.listen(async (stageId) => print(`received ${stageId}`), { concurrency: 2 });

const readState = (): Promise<string> =>
  Promise.race([queue.ping().then(() => 'there'), sleep(500, 'away', { ref: false })]).catch(() => 'away');

let before = '';
while (!closing.signal.aborted) {
  const now = await readState();
  if (now !== before) print(now);
  before = now;
  await sleep(50, undefined, { signal: closing.signal }).catch(() => {});
}
await queue.close();
print('closed');
