/** The state of the fake server: sweeps from the real planner, with made-up results and a chosen progress. */
import { randomUUID } from 'node:crypto';
import {
  DatasetName,
  datasets,
  type FunnelEvent,
  type FunnelEventRow,
  isDecided,
  type PlannedStage,
  type PlannedTrial,
  type Recipe,
  recipes,
  type Stage,
  type StoredDefinition,
  type StoredSweepStatus,
  type Submission,
  type Sweep,
  SweepDefinition,
  type SweepDetail,
  type SweepInput,
  type SweepStatus,
  type Trial,
  type TrialDetail,
  type TrialStatus,
  type Verdict,
  worstVerdict,
} from '@funnel/contracts';
import { buildPlan, outlineSweep } from '@funnel/planner';
import { hashOf, uniformOf } from './digits.ts';
import { resolveFake } from './fake-datasets.ts';
import { type FakeSearch, fakeSearch, madeOf, planOfSearch, stateOf, unitOfTrial } from './fake-search.ts';
import { overviewOf } from './overview.ts';
import { evaluationOf, perClassOf, qualityOf, seriesOf, worstCaseOf } from './results.ts';

export type FakeSweep = {
  readonly id: string;
  readonly definition: StoredDefinition;
  readonly createdAt: string;
  status: SweepStatus;
  plan: Sweep['plan'];
  /** All trials; those that a search has not decided yet, too. */
  planned: readonly PlannedTrial[];
  search: FakeSearch | null;
  readonly statuses: TrialStatus[];
  readonly stages: Map<string, Stage>;
  waitsFor: string[];
  action: Sweep['action'];
  tags: readonly string[];
  notes: string;
};

const statusOf = (statuses: readonly TrialStatus[]): StoredSweepStatus => {
  if (statuses.some((status) => status === 'waiting' || status === 'running')) return 'running';
  if (statuses.every((status) => status === 'completed')) return 'completed';
  return statuses.includes('completed') ? 'completed-with-failures' : 'failed';
};

const endOf = (point: PlannedTrial): TrialStatus => {
  const u = uniformOf(`end/${point.configuration}/${point.seed}`);
  return u > 0.985 ? 'diverged' : u > 0.975 ? 'collapsed' : u > 0.97 ? 'failed' : 'completed';
};

const hex = (text: string): string =>
  [0, 1, 2, 3, 4, 5, 6, 7].map((i) => hashOf(`${i}/${text}`).toString(16).padStart(8, '0')).join('');

/** Of an attempt of an older version, which trained the first stage, nothing was measured. */
const usageOf = ({ kind, epochs, startEpoch }: PlannedStage): Stage['usage'] => {
  if (kind === 'initialise') return null;
  const seconds = kind === 'attack' ? 10 : 7.5 * (epochs - startEpoch);
  return { seconds, cpuSeconds: 1.6 * seconds, peakBytes: kind === 'attack' ? 512 * 2 ** 20 : 384 * 2 ** 20 };
};

/** A stage of a plan, before it starts. */
const stageOf = (stage: PlannedStage, sharedBy: number, startedAt: string): Stage => ({
  id: stage.id,
  chain: stage.chain,
  kind: stage.kind,
  recipe: stage.recipe,
  status: stage.dependsOn === null ? 'ready' : 'waiting',
  hyperparameters: stage.hyperparameters,
  seed: stage.seed,
  epochs: stage.epochs,
  startEpoch: stage.startEpoch,
  position: null,
  parent: stage.parent,
  dependsOn: stage.dependsOn,
  attack: stage.attack,
  surrogates: stage.surrogates,
  attempts: 1,
  fencingToken: 1,
  workerId: null,
  checkpoint: null,
  error: null,
  sharedBy,
  usage: usageOf(stage),
  seconds: stage.kind === 'attack' ? 12 : 8 * (stage.epochs - stage.startEpoch),
  startedAt,
  finishedAt: null,
  waitsFor: null,
});

const hasEnded = (status: TrialStatus): boolean => status !== 'waiting' && status !== 'running';

export type World = ReturnType<typeof createWorld>;

export const createWorld = () => {
  const sweeps = new Map<string, FakeSweep>();
  const events: FunnelEventRow[] = [];
  const listeners = new Set<(row: FunnelEventRow) => void>();
  /** Workers that were set aside and are used again. */
  const restored = new Set<string>();
  const submissions: Submission[] = [];

  const emit = (event: FunnelEvent): void => {
    const row = { id: String(events.length + 1), at: new Date().toISOString(), event };
    events.push(row);
    for (const listener of listeners) listener(row);
  };

  const searchFor = (definition: StoredDefinition): FakeSearch | null =>
    isDecided(definition.search) ? fakeSearch(definition, definition.search) : null;

  const plan = (definition: SweepDefinition, search = searchFor(resolveFake(definition))) =>
    search ? planOfSearch(search) : buildPlan(outlineSweep(resolveFake(definition), 'fake-1'), new Map());

  /** Whether a trial of a sweep has ended. */
  const endsOf = (sweep: FakeSweep) => (trial: number) => hasEnded(sweep.statuses[trial]!);

  /** The number of trials that exist: a search decides them one after the other. */
  const trialCount = (sweep: FakeSweep): number => {
    if (sweep.search === null) return sweep.planned.length;
    const made = sweep.search.units.slice(0, madeOf(sweep.search, endsOf(sweep)));
    return made.reduce((sum, unit) => sum + (unit?.planned.length ?? 0), 0);
  };

  const updateStages = (sweep: FakeSweep): void => {
    for (const [n, point] of sweep.planned.entries()) {
      const status = sweep.statuses[n]!;
      if (status === 'waiting') continue;
      for (const [i, id] of point.stages.entries()) {
        const stage = sweep.stages.get(id)!;
        if (stage.status === 'completed') continue;
        const cut = status === 'running' ? 2 : point.stages.length;
        const bad = status !== 'completed' && status !== 'running' && i >= 1;
        stage.status = bad
          ? i === 1 && status !== 'cancelled'
            ? (status as 'failed')
            : 'skipped'
          : i < cut
            ? 'completed'
            : i === cut
              ? 'running'
              : 'waiting';
        stage.position = {
          epoch:
            stage.status === 'completed'
              ? stage.epochs
              : stage.status === 'running'
                ? Math.floor(stage.epochs / 2)
                : 0,
          step: 0,
        };
        stage.checkpoint =
          stage.status === 'completed' && stage.kind !== 'attack' ? hex(`checkpoint/${id}`) : null;
        stage.workerId = stage.status === 'running' ? 'worker-a' : null;
        if (stage.status === 'failed')
          stage.error = { code: 'BACKEND_UNUSABLE', message: 'The trainer ended with code 139 three times.' };
      }
    }
  };

  const addSweep = (
    input: SweepInput,
    options: {
      /** The share of trials that have ended. */
      readonly done?: number;
      /** How all of these trials ended. (Default: nearly all completed) */
      readonly end?: TrialStatus;
      readonly createdAt?: string;
      readonly id?: string;
      readonly tags?: readonly string[];
      readonly notes?: string;
    } = {},
  ): FakeSweep => {
    const definition = resolveFake(SweepDefinition.parse(input));
    const search = searchFor(definition);
    const planned = plan(definition, search);
    const createdAt = options.createdAt ?? new Date().toISOString();
    const sharedBy = new Map<string, number>();
    for (const trial of planned.trials)
      for (const id of trial.stages) sharedBy.set(id, (sharedBy.get(id) ?? 0) + 1);
    const stages = planned.stages.map((stage) => stageOf(stage, sharedBy.get(stage.id) ?? 1, createdAt));
    const done = Math.round((options.done ?? 0) * planned.trials.length);
    const statuses = planned.trials.map(
      (point, n): TrialStatus =>
        n < done ? (options.end ?? endOf(point)) : n < done + 2 && done > 0 ? 'running' : 'waiting',
    );
    const status = statusOf(statuses);
    const sweep: FakeSweep = {
      id: options.id ?? `s-${hex(definition.name + createdAt).slice(0, 12)}`,
      definition,
      createdAt,
      status,
      plan: planned.plan,
      planned: planned.trials,
      search,
      statuses,
      stages: new Map(stages.map((stage) => [stage.id, stage])),
      waitsFor: [],
      action: null,
      tags: options.tags ?? [],
      notes: options.notes ?? '',
    };
    updateStages(sweep);
    sweeps.set(sweep.id, sweep);
    emit({ type: 'sweep', sweepId: sweep.id, status });
    return sweep;
  };

  const sweepOf = (sweep: FakeSweep): Sweep => {
    const trials: Partial<Record<TrialStatus, number>> = {};
    const count = trialCount(sweep);
    for (const status of sweep.statuses.slice(0, count)) trials[status] = (trials[status] ?? 0) + 1;
    const ended = sweep.statuses.filter(hasEnded).length;
    const allEnded = ended === sweep.statuses.length;
    const progress = (allEnded ? (trials.completed ?? 0) : ended) / sweep.statuses.length;
    return {
      id: sweep.id,
      name: sweep.definition.name,
      status: sweep.status,
      createdAt: sweep.createdAt,
      finishedAt: allEnded
        ? new Date(Date.parse(sweep.createdAt) + 1000 * sweep.plan.epochs.needed).toISOString()
        : null,
      trials,
      plan: sweep.plan,
      epochsTrained: Math.round(progress * sweep.plan.epochs.needed),
      progress,
      etaSeconds:
        sweep.status === 'running' ? Math.round((1 - progress) * sweep.plan.epochs.needed * 2) : null,
      overview: overviewOf(
        sweep.definition,
        // The worst cases of thousands of trials would take seconds.
        Array.from({ length: Math.min(count, 40) }, (_, n) => trialOf(sweep, n)),
      ),
      priority: sweep.definition.priority,
      action: sweep.action,
      tags: [...sweep.tags],
      ...(sweep.search && { search: progressOf(sweep, sweep.search, count) }),
    };
  };

  const progressOf = (sweep: FakeSweep, search: FakeSearch, trials: number): Sweep['search'] => {
    const { ended, configurations, proposed } = stateOf(search, sweep.definition, sweep.id, endsOf(sweep));
    return { ended, configurations, proposed, trialsToCome: sweep.planned.length - trials };
  };

  const detailOf = (sweep: FakeSweep): SweepDetail => {
    const counts = new Map<string, SweepDetail['stages'][number]>();
    for (const { kind, status } of sweep.stages.values()) {
      const count = counts.get(`${kind}/${status}`)?.count ?? 0;
      counts.set(`${kind}/${status}`, { kind, status, count: count + 1 });
    }
    return {
      ...sweepOf(sweep),
      definition: sweep.definition,
      notes: sweep.notes,
      stages: [...counts.values()],
      waitsFor: sweep.waitsFor,
    };
  };

  const evaluationsOf = (sweep: FakeSweep, n: number) =>
    sweep.planned[n]!.stages.flatMap((id) => {
      const stage = sweep.stages.get(id)!;
      return stage.kind === 'attack' && stage.status === 'completed'
        ? [evaluationOf(sweep.planned[n]!, stage)]
        : [];
    });

  const trialOf = (sweep: FakeSweep, n: number): Trial => {
    const point = sweep.planned[n]!;
    const status = sweep.statuses[n]!;
    const unit = sweep.search && unitOfTrial(sweep.search, n);
    const evaluations = status === 'completed' ? evaluationsOf(sweep, n) : [];
    const verdict: Verdict | null =
      evaluations.length === 0 ? null : worstVerdict(evaluations.map((e) => e.verdict));
    return {
      id: `${sweep.id}.${n}`,
      sweepId: sweep.id,
      number: n,
      recipe: point.recipe,
      dataset: sweep.definition.dataset.name,
      seed: point.seed,
      hyperparameters: { ...point.hyperparameters },
      ...(unit && { decision: unit.number, ...(unit.epochs !== null && { rung: unit.rung }) }),
      status,
      cleanAccuracy: status === 'completed' ? qualityOf(point).clean : null,
      verdict,
      evaluations: evaluations.map(({ attack, settings, summary, verdict }) => ({
        attack,
        settings,
        summary,
        verdict,
      })),
      worstCase: evaluations.length === 0 ? null : worstCaseOf(point, evaluations),
      createdAt: sweep.createdAt,
      finishedAt: status === 'waiting' || status === 'running' ? null : sweep.createdAt,
    };
  };

  const dataOfSweep = ({ definition: { dataset } }: FakeSweep): TrialDetail['data'] => {
    const { shape, classes, budgets } = dataset.content ?? datasets[DatasetName.parse(dataset.name)];
    return { shape: [...shape], classes: [...classes], budgets };
  };

  const trialDetailOf = (sweep: FakeSweep, n: number): TrialDetail => ({
    ...trialOf(sweep, n),
    data: dataOfSweep(sweep),
    perClass:
      sweep.statuses[n] === 'completed'
        ? perClassOf(sweep.planned[n]!, sweep.definition.dataset.test, dataOfSweep(sweep).classes.length)
        : null,
    evaluations: evaluationsOf(sweep, n),
    stages: sweep.planned[n]!.stages.map((id) => sweep.stages.get(id)!),
    warnings:
      (sweep.planned[n]!.hyperparameters.beta ?? 1) < 0.002
        ? [
            'The hinge was active on no step of the last epoch: β lies below the defender’s loss and never bit.',
          ]
        : [],
  });

  const metricsOf = (sweep: FakeSweep, n: number) => {
    const point = sweep.planned[n]!;
    const recipe: Recipe = recipes[point.recipe];
    return recipe.stages.flatMap((declared, i) => {
      const stage = sweep.stages.get(point.stages[i]!)!;
      return declared.records.map((name) => seriesOf(point, declared.kind, name, stage.position?.epoch ?? 0));
    });
  };

  /** Ends the next trial and starts the one after it. */
  const finishTrial = (sweep: FakeSweep): void => {
    const n = sweep.statuses.findIndex((status) => status === 'running' || status === 'waiting');
    if (n < 0) return;
    sweep.statuses[n] = 'completed';
    if (sweep.statuses[n + 1] === 'waiting') sweep.statuses[n + 1] = 'running';
    updateStages(sweep);
    for (const id of sweep.planned[n]!.stages) {
      const { kind, status } = sweep.stages.get(id)!;
      emit({ type: 'stage', sweepId: sweep.id, stage: id, kind, status });
      if (kind === 'attack')
        emit({
          type: 'evaluation',
          sweepId: sweep.id,
          stage: id,
          attack: sweep.stages.get(id)!.attack!.attack,
        });
    }
    emit({ type: 'trial', sweepId: sweep.id, trialId: `${sweep.id}.${n}`, status: 'completed' });
    const now = statusOf(sweep.statuses);
    sweep.status = now;
    emit({ type: 'sweep', sweepId: sweep.id, status: now });
  };

  /** Gives a search more configurations. Those before stay. */
  const extend = (sweep: FakeSweep, more: number): void => {
    const { search } = sweep;
    if (search === null) return;
    sweep.search = fakeSearch(sweep.definition, search.search, search.configurations + more);
    const planned = planOfSearch(sweep.search);
    sweep.plan = planned.plan;
    sweep.planned = planned.trials;
    for (const stage of planned.stages)
      if (!sweep.stages.has(stage.id)) sweep.stages.set(stage.id, stageOf(stage, 1, sweep.createdAt));
    while (sweep.statuses.length < sweep.planned.length) sweep.statuses.push('waiting');
    sweep.status = 'running';
    emit({ type: 'sweep', sweepId: sweep.id, status: 'running' });
  };

  const findTrial = (id: string): { sweep: FakeSweep; n: number } | null => {
    const [sweepId = '', n = ''] = id.split('.');
    const sweep = sweeps.get(sweepId);
    return sweep?.planned[Number(n)] ? { sweep, n: Number(n) } : null;
  };

  return {
    sweeps,
    events,
    listeners,
    restored,
    submissions,
    emit,
    plan,
    addSweep,
    sweepOf,
    detailOf,
    trialOf,
    dataOfSweep,
    trialDetailOf,
    metricsOf,
    trialCount,
    endsOf,
    extend,
    finishTrial,
    findTrial,
    newId: () => randomUUID(),
  };
};
