/**
 * A queue in a process of its own: says `there` or `away` when that changes, `heard STAGE` for each ring, and `fault MESSAGE` for each
 * report. SIGTERM closes the queue, and nothing else: the process ends when nothing of the queue is left.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createStageQueue } from '../src/stage-queue.ts';

const [url = '', name = ''] = process.argv.slice(2);
const say = (text: string): void => void process.stdout.write(`${text}\n`);

const closing = new AbortController();
process.once('SIGTERM', () => closing.abort());

const queue = await createStageQueue({ url, name, onError: ({ message }) => say(`fault ${message}`) });
await queue.listen(async (stageId) => say(`heard ${stageId}`), { concurrency: 2 });

const look = (): Promise<string> =>
  Promise.race([queue.ping().then(() => 'there'), sleep(500, 'away', { ref: false })]).catch(() => 'away');

let before = '';
while (!closing.signal.aborted) {
  const now = await look();
  if (now !== before) say(now);
  before = now;
  await sleep(50, undefined, { signal: closing.signal }).catch(() => {});
}
await queue.close();
say('closed');
