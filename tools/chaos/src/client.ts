/** A client that submits, pauses, resumes, cancels, retries, deletes and reads random sweeps, whatever their status. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, createClient, FunnelError } from '@funnel/client';
import type { SweepInput } from '@funnel/contracts';
import type { Random } from './random.ts';

/** Ids of sweeps that all clients use. A deleted sweep stays in the list for a while, so that clients also ask for sweeps that do not exist. */
export type Known = string[];
const maxKnown = 40;

/** Counts by operation and answer, such as `cancel 409`; and descriptions of 5xx answers and of missing answers. */
export type Answers = { readonly counts: Map<string, number>; readonly faults: string[] };

export type ClientOptions = {
  readonly url: string;
  readonly sweeps: readonly SweepInput[];
  readonly known: Known;
  readonly answers: Answers;
  readonly random: Random;
  /** When aborted, the client finishes its operation and ends. */
  readonly signal: AbortSignal;
};

/** Mean milliseconds between two operations of a client. */
const pauseMs = 200;

type Operation = (client: Client, id: string, options: ClientOptions) => Promise<unknown>;

const submit = async (client: Client, { sweeps, known, random }: ClientOptions): Promise<string> => {
  const { id } = await client.createSweep({ body: sweeps[random.below(sweeps.length)]! });
  known.push(id);
  if (known.length > maxKnown) known.shift();
  return id;
};

/** Ignores 404 and 409: another client was faster. */
const ignoreRefusal = async (answer: Promise<unknown>): Promise<void> => {
  await answer.catch((error: unknown) => {
    if (!(error instanceof FunnelError && (error.status === 404 || error.status === 409))) throw error;
  });
};

const operations = {
  submit: (client, _, options) => submit(client, options),
  'submit, cancel and delete': async (client, _, options) => {
    const params = { id: await submit(client, options) };
    await sleep(pauseMs * options.random.between(0, 4));
    await ignoreRefusal(client.cancelSweep({ params }));
    await ignoreRefusal(client.deleteSweep({ params }));
  },
  pause: (client, id) => client.pauseSweep({ params: { id } }),
  resume: (client, id) => client.resumeSweep({ params: { id } }),
  cancel: (client, id) => client.cancelSweep({ params: { id } }),
  retry: (client, id) => client.retrySweep({ params: { id } }),
  delete: (client, id) => client.deleteSweep({ params: { id } }),
  read: (client, id) => client.getSweep({ params: { id } }),
  'list trials': (client, id) => client.listTrials({ params: { id } }),
} as const satisfies Record<string, Operation>;

type OperationName = keyof typeof operations;

/** Relative frequencies of the operations. */
const weights: Readonly<Record<OperationName, number>> = {
  submit: 4,
  'submit, cancel and delete': 4,
  pause: 2,
  resume: 3,
  cancel: 1,
  retry: 2,
  delete: 3,
  read: 1,
  'list trials': 1,
};

const tickets = (Object.keys(operations) as OperationName[]).flatMap((name) =>
  Array<OperationName>(weights[name]).fill(name),
);

const note = ({ counts, faults }: Answers, name: OperationName, error: unknown): void => {
  const status = error === null ? 'done' : error instanceof FunnelError ? String(error.status) : 'no answer';
  const key = `${name} ${status}`;
  counts.set(key, (counts.get(key) ?? 0) + 1);
  const refused = error instanceof FunnelError && error.answered && error.status < 500;
  if (error !== null && !refused)
    faults.push(`${key}: ${error instanceof Error ? error.message : String(error)}`);
};

export const runClient = async (options: ClientOptions): Promise<void> => {
  const { url, known, answers, random, signal } = options;
  const client = createClient({ url, retries: 0 });
  while (!signal.aborted) {
    const name = known.length === 0 ? 'submit' : tickets[random.below(tickets.length)]!;
    const id = known[random.below(known.length)] ?? '';
    await (operations[name] as Operation)(client, id, options).then(
      () => note(answers, name, null),
      (error: unknown) => note(answers, name, error),
    );
    await sleep(pauseMs * random.between(0.4, 1.6), undefined, { signal }).catch(() => {});
  }
};
