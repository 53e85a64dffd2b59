/** What the database has of chains: what a plan is settled against. */
import type { Known, KnownChain, StageStatus } from '@funnel/contracts';
import { plainArray } from './array-literals.ts';
import type { Db } from './db.ts';
import { reading, type Tx } from './transaction.ts';

type Mutable = { -readonly [K in keyof KnownChain]: number[] };

/**
 * A state in the middle of an epoch counts as continuable at the epochs before it: that epoch will be trained to its end, once. Stages
 * that were skipped because another one ended in a result will be skipped again, so they count as there.
 */
export const readKnown = async (tx: Tx, chains: readonly string[]): Promise<Known> => {
  const distinct = plainArray([...new Set(chains)]);
  const known = new Map<string, Mutable>();
  const of = (chain: string): Mutable => {
    const found = known.get(chain) ?? { recorded: [], continuable: [], stages: [], pending: [] };
    known.set(chain, found);
    return found;
  };
  const states = await tx.query<{ chain: string; epoch: number; recorded: boolean; continuable: boolean }>(
    `SELECT c.hash AS chain, p.epoch, bool_or(p.step = 0) AS recorded, bool_or(p.continuable) AS continuable
     FROM unnest($1::text[]) AS k (chain) JOIN chains c ON c.hash = k.chain JOIN checkpoints p ON p.chain_id = c.id
     GROUP BY 1, 2 ORDER BY 1, 2`,
    [distinct],
  );
  for (const { chain, epoch, recorded, continuable } of states) {
    if (recorded) of(chain).recorded.push(epoch);
    if (continuable) of(chain).continuable.push(epoch);
  }
  const stages = await tx.query<{ chain: string; epochs: number; status: StageStatus }>(
    `SELECT s.chain, s.epochs, s.status FROM unnest($1::text[]) AS k (chain) JOIN stages s ON s.chain = k.chain
     WHERE s.status NOT IN ('failed', 'cancelled') AND coalesce(s.because, '') NOT IN ('failed', 'cancelled')
       -- Completed, but its state has been collected since.
       AND NOT (s.status = 'completed' AND s.kind <> 'attack' AND s.checkpoint IS NULL)
     ORDER BY 1, 2`,
    [distinct],
  );
  for (const { chain, epochs, status } of stages) {
    of(chain).stages.push(epochs);
    if (status === 'waiting' || status === 'ready' || status === 'running') of(chain).pending.push(epochs);
  }
  return known;
};

export const knownChains = (db: Db, chains: readonly string[]): Promise<Known> =>
  readKnown(reading(db), chains);
