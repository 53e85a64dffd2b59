/** A search in memory: decisions are made as a proposer makes them, and workers end their units in a random order. */
import { SweepDefinition, type SweepInput, storedDefinition } from '@funnel/contracts';
import type { RecordedDecision, SearchRecord, UnitTrial } from '@funnel/db';
import { nextDecision } from '../../src/next-decision.ts';

export const definitionOf = (input: Partial<SweepInput>) =>
  storedDefinition(
    SweepDefinition.parse({
      name: 'test',
      dataset: { name: 'glyphs' },
      attacks: ['pgd-linf', 'fmn-l2'],
      objective: { attack: 'pgd-linf', metric: 'robustAccuracy' },
      space: { gamma: { min: 1, max: 10 }, beta: { min: 0.001, max: 0.1, scale: 'log' } },
      ...input,
    }),
  );

export const emptyRecord = (input: Partial<SweepInput>): SearchRecord => {
  const definition = definitionOf(input);
  return {
    definition,
    status: 'running',
    stride: 100,
    createdAt: '2026-01-01T00:00:00.000Z',
    configurations: 'trials' in definition.search ? definition.search.trials : 0,
    earlier: [],
    handPoints: [],
    ended: null,
    decisions: [],
  };
};

/** The end of a trial. */
export type Result = Pick<UnitTrial, 'status' | 'verdict' | 'values'>;

export type Simulation = {
  readonly workers: number;
  /** Which unit ends next: uniform in [0, 1). (Default: the oldest) */
  readonly uniform?: () => number;
  readonly evaluate: (decision: RecordedDecision, seed: number) => Result;
  /** (Default: the time of the submission) */
  readonly now?: number;
};

const waiting = (id: string, seed: number): UnitTrial => ({
  id,
  seed,
  status: 'waiting',
  verdict: null,
  values: [],
});

/** Makes every decision that is due, then ends one unit, until the search has ended and no unit is left. */
export const runSearch = (start: SearchRecord, simulation: Simulation): SearchRecord => {
  const { workers, evaluate, uniform = () => 0, now = Date.parse(start.createdAt) } = simulation;
  let record = start;
  const replace = (decision: RecordedDecision): void => {
    const others = record.decisions.filter(({ number }) => number !== decision.number);
    record = { ...record, decisions: [...others, decision].sort((a, b) => a.number - b.number) };
  };
  for (;;) {
    for (let next = nextDecision(record, now); record.ended === null && next.kind !== 'wait'; ) {
      if (next.kind === 'end') {
        record = { ...record, ended: next.reason };
        break;
      }
      const { decision } = next;
      const { seeds } = record.definition;
      const trials =
        decision.point === null ? [] : seeds.map((seed) => waiting(`${decision.number}-${seed}`, seed));
      replace({ ...decision, decidedAt: record.createdAt, trials });
      if (decision.source === 'hand') record = { ...record, handPoints: record.handPoints.slice(1) };
      next = nextDecision(record, now);
    }
    const open = record.decisions.filter(({ trials }) => trials.some(({ status }) => status === 'waiting'));
    if (open.length === 0) return record;
    const running = open.slice(0, workers);
    const decision = running[Math.floor(uniform() * running.length)]!;
    replace({
      ...decision,
      trials: decision.trials.map((trial) => ({ ...trial, ...evaluate(decision, trial.seed) })),
    });
  }
};

/** What must be the same for every order of ends. */
export const tableOf = ({ decisions, ended }: SearchRecord): string => JSON.stringify([ended, ...decisions]);
