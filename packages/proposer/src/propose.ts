/** One round of a proposer: it takes a search that is due, and writes the decisions that are due. */
import type { Known } from '@funnel/contracts';
import {
  addDecision,
  type Db,
  endSearch,
  type NewDecision,
  readSearch,
  releaseSearch,
  type SearchRecord,
  takeDueSearch,
  type Decided as Written,
} from '@funnel/db';
import { buildPlan } from '@funnel/planner';
import type { DecidingThread } from './deciding-thread.ts';
import { outlineUnit } from './outline-unit.ts';
import { wantedValues } from './wanted-values.ts';

export type ProposerOptions = {
  /** Stages are made with this version of the engine. */
  readonly engineVersion: string;
  readonly thread: DecidingThread;
};

/** Returns the function that writes a decision with its trials. `taken`: another process has written a decision of this number. */
const createWrite =
  (db: Db, sweepId: string, engineVersion: string, { definition }: SearchRecord) =>
  (decision: NewDecision): Promise<Written> => {
    const outline = decision.source === 'empty' ? null : outlineUnit(definition, engineVersion, decision);
    const unit = outline && {
      stages: outline.stages,
      buildPlan: (known: Known) => buildPlan(outline, known),
    };
    return addDecision(db, sweepId, { ...decision, unit, handPoint: decision.source === 'hand' });
  };

/** Writes decisions until one is not written: what follows must then be computed anew. */
const writeAll = async (
  decisions: readonly NewDecision[],
  write: ReturnType<typeof createWrite>,
): Promise<Written> => {
  for (const decision of decisions) {
    const outcome = await write(decision);
    if (outcome !== 'written') return outcome;
  }
  return 'written';
};

/** Decides until the search waits for units, or ends. */
const decideAll = async (
  db: Db,
  sweepId: string,
  { engineVersion, thread }: ProposerOptions,
): Promise<void> => {
  for (;;) {
    const record = await readSearch(db, sweepId, wantedValues);
    if (record.ended !== null || record.status !== 'running') return;
    const { decisions, next } = await thread.decide({ record, now: Date.now() });
    const outcome = await writeAll(decisions, createWrite(db, sweepId, engineVersion, record));
    if (outcome === 'closed') return;
    if (outcome === 'taken' || next === 'more') continue;
    if (next !== 'wait') await endSearch(db, sweepId, next);
    return;
  }
};

/** Resolves to false if no search is due. Errors: SCHEMA_MISMATCH, UNAVAILABLE, and those of the planner. */
export const proposeOnce = async (db: Db, options: ProposerOptions): Promise<boolean> => {
  const taken = await takeDueSearch(db);
  if (!taken) return false;
  await decideAll(db, taken.sweepId, options);
  await releaseSearch(db, taken);
  return true;
};
