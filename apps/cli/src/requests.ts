/** Queries that need more than one request to the API. */
import { type Client, FunnelError } from '@funnel/client';
import {
  formatAmount,
  type SearchDecision,
  type Sweep,
  type TrialDetail,
  type TrialStatus,
} from '@funnel/contracts';
import { Exit, exitCodes } from './exit.ts';

type Page<Item> = { readonly items: readonly Item[]; readonly next: string | null };

type Ask<Item> = (page: { limit: number; cursor?: string }) => Promise<Page<Item>>;

/** The first items of a paged list, at most `max`. `isComplete`: the list has no more. */
export const firstItems = async <Item>(
  ask: Ask<Item>,
  max: number,
): Promise<{ readonly items: Item[]; readonly isComplete: boolean }> => {
  const items: Item[] = [];
  let cursor: string | undefined;
  do {
    const limit = Math.min(1000, max - items.length);
    const page: Page<Item> = await ask({ limit, ...(cursor === undefined ? {} : { cursor }) });
    items.push(...page.items);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined && items.length < max);
  return { items, isComplete: cursor === undefined };
};

/** Every item of a paged list. */
export const allItems = async <Item>(ask: Ask<Item>): Promise<Item[]> =>
  (await firstItems(ask, Number.POSITIVE_INFINITY)).items;

/** Tells the user that a list ends before its last item. */
export const firstOnly = (count: number, noun: string, more: string): string =>
  `${count === 1 ? `This is the first ${noun}` : `These are the first ${formatAmount(count)} ${noun}s`}; there are more. ${more}`;

/** As Funnel makes the ids of sweeps and trials. */
const madeId = /^[0-9a-f]{16}(-\d+)?$/;

/** The id of the sweep that a user named by its id or its name. An id is not checked. Throws Exit when no sweep, or more than one, has the name. */
export const findSweep = async (client: Client, idOrName: string): Promise<string> => {
  if (madeId.test(idOrName)) return idOrName;
  const sweeps = await allItems((page) =>
    client.listSweeps({ query: { search: idOrName.slice(0, 200), ...page } }),
  );
  const named = sweeps.filter(({ name }) => name === idOrName);
  if (named.length === 1) return named[0]!.id;
  if (named.length === 0)
    throw new Exit(
      exitCodes.refused,
      `There is no sweep with the id or the name ${idOrName}.\n→ \`npx funnel ls\` lists sweeps.`,
    );
  const ids = named.slice(0, 10).map(({ id, status }) => `  ${id}  ${status}`);
  throw new Exit(
    exitCodes.usage,
    [`${named.length} sweeps have the name ${idOrName}. Give the id of one of them:`, ...ids].join('\n'),
  );
};

/** A decision of a search by its number; null while it is not made. */
export const findDecision = async (
  client: Client,
  sweepId: string,
  number: number,
): Promise<SearchDecision | null> => {
  // At most `number` decisions have a smaller number.
  const { items } = await firstItems(
    (page) => client.listDecisions({ params: { id: sweepId }, query: page }),
    number + 1,
  );
  return items.find((decision) => decision.number === number) ?? null;
};

/**
 * An id may belong to any kind of thing. Asks the API for each kind in turn, and returns the first answer. Throws Exit when no kind has the
 * id.
 */
export const firstFound = async <T>(
  id: string,
  kinds: Readonly<Record<string, () => Promise<T>>>,
): Promise<T> => {
  for (const ask of Object.values(kinds))
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof FunnelError && error.code === 'NOT_FOUND')) throw error;
    }
  throw new Exit(
    exitCodes.refused,
    `There is neither a ${Object.keys(kinds).join(' nor a ')} with the id ${id}.\n→ \`npx funnel ls\` and \`npx funnel trials SWEEP\` list ids.`,
  );
};

/** Statuses of trials that ended without a result. A cancelled trial is not among them. */
const troubled = ['failed', 'diverged', 'collapsed'] as const satisfies readonly TrialStatus[];

/** At most this many trials of each status are described. The others mostly failed for the same reason. */
const maxEach = 3;

const troubleOf = ({ stages }: TrialDetail): string => {
  const stage = stages.find(
    ({ error, status }) => error !== null || status === 'diverged' || status === 'collapsed',
  );
  if (!stage) return '';
  return `${stage.kind}${stage.error ? `: ${stage.error.code}: ${stage.error.message}` : ''}`;
};

/**
 * The reasons for which trials of a sweep did not complete: a line for each of the first few, then commands that show more. Empty when no
 * trial failed, diverged or collapsed.
 */
export const readTroubles = async (client: Client, { id, trials }: Sweep): Promise<readonly string[]> => {
  const present = troubled.filter((status) => (trials[status] ?? 0) > 0);
  const lists = await Promise.all(
    present.map((status) => client.listTrials({ params: { id }, query: { status, limit: maxEach } })),
  );
  const details = await Promise.all(
    lists.flatMap(({ items }) => items.map((trial) => client.getTrial({ params: { id: trial.id } }))),
  );
  const lines = details.map((trial) => {
    const reason = troubleOf(trial);
    return `✗ trial ${trial.number} (${trial.id}) ${trial.status}${reason === '' ? '' : `, ${reason}`}`;
  });
  const all = present.reduce((sum, status) => sum + (trials[status] ?? 0), 0);
  const more =
    all > details.length
      ? [`  … and ${all - details.length} more: \`npx funnel trials ${id} --status ${present[0]}\``]
      : [];
  const retry = present.includes('failed')
    ? [`→ \`npx funnel log TRIAL\` says more. \`npx funnel retry ${id}\` runs the failed stages again.`]
    : [];
  return [...lines, ...more, ...retry];
};
