/** Queries that need more than one request to the API. */
import type { Client } from '@funnel/client';
import {
  formatAmount,
  resembling,
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

const sweepId = /^[0-9a-f]{16}$/;
/** The sweep, then the number of the trial in it. */
const trialId = /^[0-9a-f]{16}-\d{5,}$/;
/** `latest-3`, `1a22-3`, `γ against β-3`: a sweep as a user names it, and the number of one of its trials. */
const numbered = /^(.+)-(\d{1,6})$/s;

/** More sweeps than these do not help to choose one. */
const maxCandidates = 10;

/** More sweeps than these are not read: a word that so many share names none of them. */
const maxAlike = 1000;

/** `isAll`: there are no sweeps beside these. */
const candidatesText = (sweeps: readonly Sweep[], isAll = true): readonly string[] => [
  ...sweeps.slice(0, maxCandidates).map(({ id, status, name }) => `  ${id}  ${status}  ${name}`),
  ...(sweeps.length > maxCandidates || !isAll
    ? [`  … and ${isAll ? sweeps.length - maxCandidates : 'many'} more`]
    : []),
];

/** The sweeps that a word may stand for. `alike`: those whose name contains it, newest first. */
type Candidates = { readonly meant: readonly Sweep[]; readonly alike: readonly Sweep[] };

const findCandidates = async (client: Client, word: string): Promise<Candidates> => {
  if (word.trim() === '')
    throw new Exit(
      exitCodes.usage,
      'Expected the id or the name of a sweep, but got an empty text.\n→ `npx funnel ls` lists sweeps.',
    );
  if (word === 'latest') {
    const { items } = await client.listSweeps({ query: { limit: 1 } });
    return { meant: items, alike: [] };
  }
  const { items: alike, isComplete } = await firstItems(
    (page) => client.listSweeps({ query: { search: word.slice(0, 200), ...page } }),
    maxAlike,
  );
  const named = alike.filter(({ name }) => name === word);
  if (!isComplete)
    throw new Exit(
      exitCodes.usage,
      [
        `More than ${formatAmount(maxAlike)} sweeps have ${word} in their name or id. Give the id of one of them:`,
        ...candidatesText(named.length > 0 ? named : alike, false),
      ].join('\n'),
    );
  return { meant: named.length > 0 ? named : alike.filter(({ id }) => id.startsWith(word)), alike };
};

/** A name of several words, and each of them: people remember one word of a long name. */
const termsOf = ({ name }: Sweep): readonly string[] => [name, ...name.split(/\s+/)];

/** Of the newest sweeps, those whose name, or a word of it, resembles a misspelt word. */
const findResembling = async (client: Client, word: string): Promise<readonly Sweep[]> => {
  const { items } = await firstItems((page) => client.listSweeps({ query: page }), maxAlike);
  const found = resembling(word, [...new Set(items.flatMap(termsOf))]);
  return items.filter((sweep) => termsOf(sweep).some((term) => found.includes(term)));
};

const noSweep = async (client: Client, word: string, { alike }: Candidates): Promise<Exit> => {
  if (word === 'latest')
    return new Exit(exitCodes.refused, 'There is no sweep yet.\n→ `npx funnel submit FILE` makes one.');
  const first = `There is no sweep with the id or the name ${word}.`;
  const meant = alike.length > 0 ? alike : await findResembling(client, word);
  if (meant.length > 0)
    return new Exit(
      exitCodes.refused,
      [`${first} Did you mean one of these?`, ...candidatesText(meant)].join('\n'),
    );
  const isLatest = resembling(word, ['latest']).length > 0;
  return new Exit(
    exitCodes.refused,
    `${first}\n→ ${isLatest ? 'Did you mean latest? It names the newest sweep.' : '`npx funnel ls` lists sweeps.'}`,
  );
};

/** The only one of these sweeps; null if there is none. Throws Exit if there are several. */
const onlyOne = (word: string, { meant }: Candidates): string | null => {
  if (meant.length < 2) return meant[0]?.id ?? null;
  const what = meant[0]!.name === word ? `have the name ${word}` : `have an id that begins with ${word}`;
  throw new Exit(
    exitCodes.usage,
    [`${meant.length} sweeps ${what}. Give the id of one of them:`, ...candidatesText(meant)].join('\n'),
  );
};

/**
 * The id of the sweep that a user named: by its id or the start of it, by its name, or as `latest`. A whole id is not checked. Throws Exit when
 * no sweep, or more than one, is meant.
 */
export const findSweep = async (client: Client, word: string): Promise<string> => {
  if (sweepId.test(word)) return word;
  const candidates = await findCandidates(client, word);
  const id = onlyOne(word, candidates);
  if (id === null) throw await noSweep(client, word, candidates);
  return id;
};

/** The id of the trial `latest-3`, or null for a word of another form. */
const numberedTrial = async (client: Client, word: string): Promise<string | null> => {
  const [, sweep, number] = numbered.exec(word) ?? [];
  return sweep && number ? `${await findSweep(client, sweep)}-${number.padStart(5, '0')}` : null;
};

/** As `findSweep`, for a trial: its id, or its sweep and its number, such as `latest-3`. */
export const findTrial = async (client: Client, word: string): Promise<string> => {
  const id = trialId.test(word) ? word : await numberedTrial(client, word);
  if (id !== null) return id;
  throw new Exit(
    exitCodes.usage,
    `Expected a trial, as its id or as SWEEP-NUMBER such as latest-0, but got ${word}.\n→ \`npx funnel trials SWEEP\` lists the trials of a sweep.`,
  );
};

/** As `findSweep` and `findTrial`. A name of a sweep that ends like a trial means the sweep. */
export const findSweepOrTrial = async (
  client: Client,
  word: string,
): Promise<{ readonly kind: 'sweep' | 'trial'; readonly id: string }> => {
  if (trialId.test(word)) return { kind: 'trial', id: word };
  if (sweepId.test(word)) return { kind: 'sweep', id: word };
  const candidates = await findCandidates(client, word);
  const sweep = onlyOne(word, candidates);
  if (sweep !== null) return { kind: 'sweep', id: sweep };
  const trial = await numberedTrial(client, word);
  if (trial === null) throw await noSweep(client, word, candidates);
  return { kind: 'trial', id: trial };
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
