import { type Client, FunnelError } from '@funnel/client';
import type { Sweep, TrialDetail, TrialStatus } from '@funnel/contracts';
import { Exit, exitCodes } from './exit.ts';

type Page<Item> = { readonly items: readonly Item[]; readonly next: string | null };

/** Every item of a paged route, one page after the other, at most `most`. */
export const allPages = async <Item>(
  ask: (page: { limit: number; cursor?: string }) => Promise<Page<Item>>,
  most = Number.POSITIVE_INFINITY,
): Promise<Item[]> => {
  const items: Item[] = [];
  let cursor: string | undefined;
  do {
    const limit = Math.min(1000, most - items.length);
    const page: Page<Item> = await ask({ limit, ...(cursor === undefined ? {} : { cursor }) });
    items.push(...page.items);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined && items.length < most);
  return items;
};

/** An id says nothing of what it names: each kind of thing is asked for in turn. Throws Exit where it is none of them. */
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
    `There is neither a ${Object.keys(kinds).join(' nor a ')} with the id ${id}.\n→ funnel ls and funnel trials SWEEP list ids.`,
  );
};

/** Ends of a trial that somebody should look at. */
const troubled = ['failed', 'diverged', 'collapsed'] as const satisfies readonly TrialStatus[];

/** So many of each are looked at: the rest mostly ended for the same reason. */
const maxEach = 3;

const troubleOf = ({ stages }: TrialDetail): string => {
  const stage = stages.find(
    ({ error, status }) => error !== null || status === 'diverged' || status === 'collapsed',
  );
  if (!stage) return '';
  return `${stage.kind}${stage.error ? `: ${stage.error.code}: ${stage.error.message}` : ''}`;
};

/** Why trials of a sweep did not complete: a line for each of the first few, and what to ask for the others. Empty where all went well. */
export const readTroubles = async (client: Client, { id, trials }: Sweep): Promise<readonly string[]> => {
  const there = troubled.filter((status) => (trials[status] ?? 0) > 0);
  const lists = await Promise.all(
    there.map((status) => client.listTrials({ params: { id }, query: { status, limit: maxEach } })),
  );
  const details = await Promise.all(
    lists.flatMap(({ items }) => items.map((trial) => client.getTrial({ params: { id: trial.id } }))),
  );
  const lines = details.map((trial) => {
    const reason = troubleOf(trial);
    return `✗ trial ${trial.number} (${trial.id}) ${trial.status}${reason === '' ? '' : `, ${reason}`}`;
  });
  const all = there.reduce((sum, status) => sum + (trials[status] ?? 0), 0);
  const more =
    all > details.length
      ? [`  … and ${all - details.length} more: funnel trials ${id} --status ${there[0]}`]
      : [];
  const retry = there.includes('failed')
    ? [`→ funnel log TRIAL says more; funnel retry ${id} gives what failed new attempts.`]
    : [];
  return [...lines, ...more, ...retry];
};
