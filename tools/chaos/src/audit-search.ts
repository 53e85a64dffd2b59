/** The audit of searches: rules that their tables must obey when all have ended, and the comparison of their decisions. */
import { createHash } from 'node:crypto';
import type { Client } from '@funnel/client';
import { canonicalJson, type SearchDecision } from '@funnel/contracts';
import type { Db } from '@funnel/db';
import { atAnyTime, atRest, countOf, type Rule, violations } from './audit.ts';
import { caseName, type SearchCase, workOf } from './search-sweeps.ts';

/** A search and all of its decisions. */
export type Decided = { readonly searchCase: SearchCase; readonly decisions: readonly SearchDecision[] };

export const readDecisions = async (client: Client, id: string): Promise<readonly SearchDecision[]> => {
  const decisions: SearchDecision[] = [];
  let cursor: string | undefined;
  do {
    const page = await client.listDecisions({ params: { id }, query: { limit: 100, cursor } });
    decisions.push(...page.items);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return decisions;
};

/** The decision without what differs between two services: ids and times. */
const lineOf = ({ trials, decidedAt: _, ...decision }: SearchDecision): string =>
  canonicalJson({ ...decision, trials: trials.length });

/** SHA-256 of the decisions of all searches. */
export const digestOfDecisions = (searches: readonly Decided[]): string =>
  createHash('sha256')
    .update(searches.map(({ decisions }) => decisions.map(lineOf).join('\n')).join('\n\n'))
    .digest('hex');

/** For each search that differs from the expected one, its first decision that differs. */
export const compareDecisions = (expected: readonly Decided[], found: readonly Decided[]): string[] =>
  expected.flatMap(({ searchCase, decisions }, i) => {
    const [ours, theirs] = [(found[i]?.decisions ?? []).map(lineOf), decisions.map(lineOf)];
    const at = Array.from({ length: Math.max(ours.length, theirs.length) }, (_, n) => n).find(
      (n) => ours[n] !== theirs[n],
    );
    return at === undefined
      ? []
      : [`${caseName(searchCase)}: expected decision ${theirs[at] ?? 'none'}, but got ${ours[at] ?? 'none'}`];
  });

const below =
  'SELECT FROM decisions b WHERE b.sweep_id = d.sweep_id AND b.configuration = d.configuration AND b.rung = d.rung - 1 AND b.number < d.number';

/** Rules that hold when every search has ended. */
const ofSearches: readonly Rule[] = [
  ['searches that have not ended', 'SELECT count(*) AS n FROM searches WHERE ended IS NULL'],
  ['searches that are due', 'SELECT count(*) AS n FROM searches WHERE ended IS NULL AND done <> marked'],
  [
    'sweeps that did not complete',
    "SELECT count(*) AS n FROM searches s JOIN sweeps w ON w.id = s.sweep_id WHERE w.status <> 'completed'",
  ],
  [
    'numbers without a decision',
    'SELECT coalesce(sum(gaps), 0) AS n FROM (SELECT max(number) + 1 - count(*) AS gaps FROM decisions GROUP BY sweep_id) each',
  ],
  [
    'trials without a decision',
    'SELECT count(*) AS n FROM trials t WHERE NOT EXISTS (SELECT FROM decisions d WHERE d.sweep_id = t.sweep_id AND d.number = t.configuration_index)',
  ],
  [
    'decisions that do not have one trial for each seed',
    `SELECT count(*) AS n FROM decisions d JOIN sweeps w ON w.id = d.sweep_id
     WHERE (SELECT count(*) FROM trials t WHERE t.sweep_id = d.sweep_id AND t.configuration_index = d.number)
       <> CASE d.source WHEN 'empty' THEN 0 ELSE jsonb_array_length(w.definition -> 'seeds') END`,
  ],
  [
    'configurations that are at a rung twice',
    'SELECT count(*) AS n FROM (SELECT FROM decisions WHERE configuration IS NOT NULL GROUP BY sweep_id, configuration, rung HAVING count(*) > 1) twice',
  ],
  [
    'promotions without a unit at the rung below',
    `SELECT count(*) AS n FROM decisions d WHERE d.source = 'promotion' AND NOT EXISTS (${below})`,
  ],
  ['trials that did not complete', "SELECT count(*) AS n FROM trials WHERE status <> 'completed'"],
  ['stages that did not complete', "SELECT count(*) AS n FROM stages WHERE status <> 'completed'"],
];

export const auditSearches = async (db: Db, searches: readonly Decided[]) => {
  const works = searches.map(({ searchCase, decisions }) => workOf(searchCase, decisions));
  const counts = {
    decisions: await countOf(db, 'SELECT count(*) AS n FROM decisions'),
    promotions: await countOf(db, "SELECT count(*) AS n FROM decisions WHERE source = 'promotion'"),
    empty: await countOf(db, "SELECT count(*) AS n FROM decisions WHERE source = 'empty'"),
    trials: await countOf(db, 'SELECT count(*) AS n FROM trials'),
    attempts: await countOf(db, 'SELECT count(*) AS n FROM attempts'),
    attemptsExpired: await countOf(db, "SELECT count(*) AS n FROM attempts WHERE outcome = 'expired'"),
    epochs: await countOf(db, 'SELECT coalesce(sum(epochs), 0) AS n FROM attempts'),
    epochsExpected: works.reduce((sum, { epochs }) => sum + epochs, 0),
    evaluations: await countOf(db, 'SELECT count(*) AS n FROM evaluations'),
    evaluationsExpected: works.reduce((sum, { evaluations }) => sum + evaluations, 0),
  };
  const findings = [
    ...(await violations(db, [...ofSearches, ...atAnyTime, ...atRest])),
    ...(counts.epochs === counts.epochsExpected
      ? []
      : [`${counts.epochs} epochs trained, ${counts.epochsExpected} expected`]),
    ...(counts.evaluations === counts.evaluationsExpected
      ? []
      : [`${counts.evaluations} evaluations, ${counts.evaluationsExpected} expected`]),
  ];
  return { counts, findings };
};
