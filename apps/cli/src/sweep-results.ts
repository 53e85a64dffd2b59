/** What a report reads: the results of a sweep, from the service or from a file. */
import type { Client } from '@funnel/client';
import { statusText, whyUnreadable } from '@funnel/contracts';
import { readResults, type SweepResults, type TrialResult } from '@funnel/paper';
import { readBounded } from './bounded-file.ts';
import { Exit, exitCodes } from './exit.ts';
import { allItems, findSweep } from './requests.ts';

const readFile = (path: string): SweepResults => {
  const refuse = (reason: string): Exit =>
    new Exit(
      exitCodes.usage,
      `Expected the id or the name of a sweep, or a file of \`report save\`, but got ${path}: ${reason}`,
    );
  let text: string;
  try {
    text = readBounded(path).toString();
  } catch (error) {
    throw refuse(whyUnreadable(error));
  }
  try {
    return readResults(text);
  } catch {
    throw refuse('it has other content');
  }
};

const readSweep = async (client: Client, idOrName: string): Promise<SweepResults> => {
  const id = await findSweep(client, idOrName);
  const sweep = await client.getSweep({ params: { id } });
  const trials = await allItems((query) => client.listTrials({ params: { id }, query }));
  const results: TrialResult[] = [];
  for (const { id: trial } of trials) {
    const params = { id: trial };
    const [detail, { series }] = await Promise.all([
      client.getTrial({ params }),
      client.getMetrics({ params }),
    ]);
    results.push({ trial: detail, series });
  }
  if (results.every(({ trial }) => trial.status !== 'completed'))
    throw new Exit(
      exitCodes.incomplete,
      `Expected a sweep with completed trials, but ${idOrName} has none: it is ${statusText(sweep.status)}.\n→ \`npx funnel show ${id}\` says more.`,
    );
  return { sweep, results };
};

/** `word`: a sweep as a user names it, or a file that ends in .json. Throws Exit if there is no such sweep, or if no trial of it is complete. */
export const readSweepResults = async (client: () => Client, word: string): Promise<SweepResults> =>
  word.endsWith('.json') ? readFile(word) : readSweep(client(), word);
