/**
 * All changes of a stage's status, in one table, and the function that applies them. No other code writes `stages.status`: a test searches
 * the sources for it. `propagate.ts` applies the effects on trials, sweeps, counts, events and the queue.
 */
import type { PlannedStage, StageKind, StageStatus } from '@funnel/contracts';
import { text } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';

export type StageChange = {
  readonly id: string;
  readonly kind: StageKind;
  readonly from: StageStatus;
  readonly to: StageStatus;
};

type Transition = {
  readonly from: readonly StageStatus[];
  /** One status, or several: the caller's column `target.status` then chooses. */
  readonly to: StageStatus | readonly StageStatus[];
  /** The reason for the change, for readers: no code uses it. */
  readonly when: string;
  /** SQL: the columns that the change sets or resets. `s` is the stage, `target` the caller's row for it. */
  readonly sets: string;
};

const ended = 'finished_at = now(), lease_until = NULL, images_per_second = NULL';
const error = 'error_code = target.error_code, error_message = target.error_message';
const result = 'checkpoint = target.checkpoint, epoch = s.epochs, step = 0';

export const transitions = {
  release: {
    from: ['waiting'],
    to: 'ready',
    when: 'everything that it depends on has ended with a result',
    sets: 'ready_at = now()',
  },
  claim: {
    from: ['ready'],
    to: 'running',
    when: 'a worker claims it; the fencing token grows by 1',
    sets: `worker_id = target.worker_id, fencing_token = s.fencing_token + 1, lease_until = now() + make_interval(secs => target.lease_seconds),
      started_at = coalesce(s.started_at, now()), images_per_second = NULL, error_code = NULL, error_message = NULL`,
  },
  return: {
    from: ['running'],
    to: 'ready',
    when: 'its attempt was released or handed back, failed with attempts left, or lost its lease',
    sets: 'ready_at = now() + make_interval(secs => target.delay_seconds), lease_until = NULL, images_per_second = NULL',
  },
  complete: {
    from: ['running'],
    to: 'completed',
    when: 'its attempt delivers the result',
    sets: `${ended}, ${result}, error_code = NULL, error_message = NULL`,
  },
  pass: {
    from: ['waiting', 'ready'],
    to: 'completed',
    when: 'a longer run of its chain has recorded its last epoch',
    sets: `${ended}, ${result}`,
  },
  diverge: {
    from: ['running'],
    to: 'diverged',
    when: 'a loss is not finite',
    sets: `${ended}, ${error}`,
  },
  collapse: {
    from: ['running'],
    to: 'collapsed',
    when: 'an auto-encoder ignores its input',
    sets: `${ended}, ${error}`,
  },
  fail: {
    from: ['running', 'ready'],
    to: 'failed',
    when: 'no attempts are left, or no live worker has enough memory',
    sets: `${ended}, ${error}`,
  },
  skip: {
    from: ['waiting'],
    to: 'skipped',
    when: 'something that it depends on has no usable result',
    sets: `${ended}, skip_cause = target.skip_cause, ${error}`,
  },
  cancel: {
    from: ['waiting', 'ready', 'running'],
    to: 'cancelled',
    when: 'the last live sweep that needs it is cancelled',
    sets: `${ended}, sweep_id = NULL`,
  },
  reopen: {
    from: ['failed', 'skipped', 'cancelled', 'completed'],
    to: ['waiting', 'ready'],
    when: 'a sweep is retried, or submitted anew, and needs its result, which is missing or was collected',
    sets: `ready_at = now(), finished_at = NULL, skip_cause = NULL, error_code = NULL, error_message = NULL, failures = 0, expiries = 0`,
  },
} as const satisfies Record<string, Transition>;
export type TransitionName = keyof typeof transitions;

/**
 * SQL: the order in which a transaction locks unfinished stages `s`. An attempt that ends locks its stage, then the stages that depend on
 * it. So running stages come first, then ready stages, then waiting ones.
 */
export const lockOrder = (s: string): string =>
  `array_position(ARRAY['running', 'ready', 'waiting'], ${s}.status), ${s}.id`;

const list = (statuses: readonly StageStatus[]): string => statuses.map((status) => `'${status}'`).join(', ');

/**
 * SQL: changes the status of the stages that `target` selects, if their status allows it. `target` gives each `id` once, and the columns
 * that the transition reads; `also` sets further columns from it. The statement locks the rows first and then reads their status. It joins
 * `target` and `locked` to the table, never to each other: PostgreSQL cannot estimate their length, and would compare every row of one with
 * every row of the other.
 */
export const transitionSql = (
  name: TransitionName,
  target: string,
  { also = '', returning = 's.id, s.kind, target.was AS "from", s.status AS "to"' } = {},
): string => {
  const { from, to, sets }: Transition = transitions[name];
  const status = typeof to === 'string' ? `'${to}'` : 'target.status';
  return `WITH target AS MATERIALIZED (${target}), locked AS MATERIALIZED (
      SELECT target.*, s.status AS was FROM target JOIN stages s ON s.id = target.id WHERE s.status IN (${list(from)})
      ORDER BY ${lockOrder('s')} FOR NO KEY UPDATE OF s
    )
    UPDATE stages s SET status = ${status}, ${sets}${also && `, ${also}`}
    FROM locked AS target WHERE s.id = target.id
    RETURNING ${returning}`;
};

const changeColumns = {
  id: text(),
  kind: text<StageKind>(),
  from: text<StageStatus>(),
  to: text<StageStatus>(),
};

/** Applies a transition to the stages that `target` selects (`transitionSql`). Resolves to the changes that it made. */
export const move = (
  tx: Tx,
  name: TransitionName,
  target: string,
  values: readonly unknown[],
  also?: string,
): Promise<readonly StageChange[]> =>
  tx.query(changeColumns, transitionSql(name, target, also === undefined ? {} : { also }), values);

/**
 * The first status of a new or reopened stage. `dependsOn`: null if the stage waits for no other stage. `passed`: a longer run has recorded
 * its last epoch, so it waits until its sweep is connected with that run.
 */
export const firstStatus = ({
  dependsOn,
  passed,
}: Pick<PlannedStage, 'dependsOn' | 'passed'>): 'ready' | 'waiting' =>
  dependsOn === null && !passed ? 'ready' : 'waiting';

/**
 * Writes new stages, scheduled for sweep `$1`. Values that many stages share (`$2`–`$7`) are sent and parsed once; `$8` has an index into
 * them for each stage. `$18`: the first statuses.
 */
export const createStages = (tx: Tx, values: readonly unknown[]) =>
  tx.run(
    `WITH common AS MATERIALIZED (
       SELECT place - 1 AS place, kind, recipe, hyperparameters::jsonb, dataset::jsonb, attack::jsonb, need_id
       FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[])
         WITH ORDINALITY AS c (kind, recipe, hyperparameters, dataset, attack, need_id, place)
     )
     INSERT INTO stages (id, chain, kind, recipe, hyperparameters, seed, dataset, epochs, parent, attack,
       status, ready_at, depends_on, start_epoch, sweep_id, planned_by, ordinal, surrogates, need_id)
     SELECT id, chain, kind, recipe, hyperparameters, seed, dataset, epochs, parent, attack,
       status, now(), depends_on, start_epoch, $1, $1, ordinal, surrogates::text[], need_id
     FROM unnest($8::int[], $9::text[], $10::text[], $11::int[], $12::int[], $13::text[], $14::text[], $15::int[], $16::int[], $17::text[],
       $18::text[])
       AS x (place, id, chain, seed, epochs, parent, depends_on, start_epoch, ordinal, surrogates, status) JOIN common USING (place)`,
    values,
  );

export const idsOf = (rows: readonly { readonly id: string }[]): string[] => rows.map((row) => row.id);
