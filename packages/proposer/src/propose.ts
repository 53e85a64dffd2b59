/** One round of a proposer: it takes a search that is due, and writes the decisions that are due. */
import {
  addDecision,
  type Db,
  endSearch,
  type NewDecision,
  readSearch,
  releaseSearch,
  type SearchRecord,
  takeDueSearch,
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

/** Writes a decision with its trials. False: the search takes no decision now. */
const write = async (
  db: Db,
  sweepId: string,
  { definition }: SearchRecord,
  decision: NewDecision,
  engineVersion: string,
): Promise<boolean> => {
  const outline = decision.source === 'empty' ? null : outlineUnit(definition, engineVersion, decision);
  const unit = outline && {
    stages: outline.stages,
    buildPlan: (known: Parameters<typeof buildPlan>[1]) => buildPlan(outline, known),
  };
  const handPoint = decision.source === 'hand';
  return (await addDecision(db, sweepId, { ...decision, unit, handPoint })) !== 'closed';
};

/** Decides until the search waits for units, or ends. */
const decideAll = async (
  db: Db,
  sweepId: string,
  { engineVersion, thread }: ProposerOptions,
): Promise<void> => {
  for (;;) {
    const { definition } = await readSearch(db, sweepId, []);
    const record = await readSearch(db, sweepId, wantedValues(definition));
    if (record.ended !== null || record.status !== 'running') return;
    const { decisions, next } = await thread.decide({ record, now: Date.now() });
    for (const decision of decisions)
      if (!(await write(db, sweepId, record, decision, engineVersion))) return;
    if (next === 'wait') return;
    if (next !== 'more') return endSearch(db, sweepId, next);
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
