/** What pages and strategies read of a search: progress, rungs, the leaderboard, earlier sweeps; and its extension. */
import {
  type AttackSpec,
  defaultLimits,
  type LeaderboardQuery,
  type LeaderboardRow,
  RetentionPolicy,
  routes,
} from '@funnel/contracts';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  actingAs,
  addHandPoint,
  type ClaimedStage,
  cancelSweep,
  collectGarbage,
  completeStage,
  endSearch,
  extendSearch,
  getSweep,
  getTrial,
  leaderboard,
  listAudit,
  listSweeps,
  listTrials,
  readEarlier,
  readSearch,
  takeDueSearch,
  unitEvidence,
} from '../src/index.ts';
import { decide, promoting, searching, submitSearch } from './support/search.ts';
import { db, seed, shareDb } from './support/shared-db.ts';
import { claim, drain, evaluationOf, finish } from './support/simulated-trainer.ts';
import { submit } from './support/submit.ts';
import { query, sweepStatus } from './support/tables.ts';

shareDb();
beforeEach(async () => void (await query(db, 'UPDATE searches SET done = marked')));

/** The ε of an attack that fools one image less. */
const weak = 0.05;

/** Finishes all stages. The attack on a trial of γ fools γ of ten images, or 10 − γ when it trained for `worse` epochs. */
const runAll = async (worse = 0): Promise<void> => {
  for (let claimed = await claim(db); claimed; claimed = await claim(db))
    if (claimed.spec.kind !== 'attack') await finish(db, claimed);
    else await attack(claimed, worse);
};
const attack = async ({ stageId, fencingToken, ...claimed }: ClaimedStage, worse: number): Promise<void> => {
  const [trial] = await query<{ gamma: number; epochs: number }>(
    db,
    `SELECT (t.hyperparameters ->> 'gamma')::int AS gamma, (t.hyperparameters ->> 'optimiseEpochs')::int AS epochs
     FROM trials t JOIN trial_stages ts ON ts.trial_id = t.id WHERE ts.stage_id = $1 LIMIT 1`,
    [stageId],
  );
  const all = trial!.epochs === worse ? 10 - trial!.gamma : trial!.gamma;
  const fooled = claimed.spec.attack!.settings.epsilon === weak ? all - 1 : all;
  const success = Array.from({ length: 10 }, (_, image) => image < fooled);
  await completeStage(db, {
    stageId,
    fencingToken,
    evaluation: evaluationOf({ stageId, fencingToken, ...claimed }, success),
  });
};

const rank = (input: object) =>
  leaderboard(db, routes.leaderboard.query.parse({ attack: 'fgsm', ...input }) as LeaderboardQuery);
const brief = (rows: readonly LeaderboardRow[]) =>
  rows.map((row) => [row.rung, row.rank, row.hyperparameters.gamma, row.value]);

/** γ = 1 … 4 at rung 0; 1 and 2 go on to rung 1, and 2 to rung 2. */
const climb = async (): Promise<string> => {
  const sweep = searching({ seeds: [seed], search: promoting });
  const sweepId = await submitSearch(db, sweep, { gamma: 1, configurations: 4 });
  for (const number of [1, 2, 3]) await decide(db, sweepId, sweep, { number, gamma: number + 1, rung: 0 });
  await runAll();
  const promotion = { source: 'promotion' } as const;
  await decide(db, sweepId, sweep, { number: 4, gamma: 1, rung: 1, configuration: 0, ...promotion });
  await decide(db, sweepId, sweep, { number: 5, gamma: 2, rung: 1, configuration: 1, ...promotion });
  await runAll(3);
  await decide(db, sweepId, sweep, { number: 6, gamma: 2, rung: 2, configuration: 1, ...promotion });
  return sweepId;
};

describe('the leaderboard of a search with promotion', () => {
  test('shows each configuration once, at its highest rung with a score, and ranks each rung by itself', async () => {
    const sweep = await climb();
    // Rung 2 has no score yet.
    expect(brief((await rank({ sweep })).items)).toEqual([
      [1, 1, 2, 0.2],
      [1, 2, 1, 0.1],
      [0, 1, 3, 0.7],
      [0, 2, 4, 0.6],
    ]);
    await runAll();
    for (const group of ['trial', 'configuration'])
      expect(brief((await rank({ sweep, group })).items)).toEqual([
        [2, 1, 2, 0.8],
        [1, 1, 1, 0.1],
        [0, 1, 3, 0.7],
        [0, 2, 4, 0.6],
      ]);
    expect(brief((await rank({ sweep, rungs: 'all' })).items)).toEqual([
      [0, 1, 1, 0.9],
      [0, 2, 2, 0.8],
      [2, 2, 2, 0.8],
      [0, 4, 3, 0.7],
      [0, 5, 4, 0.6],
      [1, 6, 2, 0.2],
      [1, 7, 1, 0.1],
    ]);
    // A filter selects among these rows; the lower rungs of configuration 2 do not come back.
    expect(brief((await rank({ sweep, where: 'gamma:2..3' })).items)).toEqual([
      [2, 1, 2, 0.8],
      [0, 1, 3, 0.7],
    ]);
    expect(brief((await rank({ sweep, where: 'optimiseEpochs:1' })).items)).toEqual([
      [0, 1, 3, 0.7],
      [0, 2, 4, 0.6],
    ]);
    expect((await rank({ sweep, where: 'initialiseEpochs:2' })).items).toHaveLength(4);
    expect((await rank({ sweep, where: 'initialiseEpochs:3' })).items).toEqual([]);
  });

  test('pages have no gap between them, and continue the ranks of a rung', async () => {
    const sweep = await climb();
    await runAll();
    for (const masked of ['last', 'equal', 'hide'])
      for (const group of ['trial', 'configuration'])
        for (const limit of [1, 3]) {
          const whole = (await rank({ sweep, masked, group })).items;
          const pieces: LeaderboardRow[] = [];
          let cursor: string | undefined;
          do {
            const page = await rank({ sweep, masked, group, limit, cursor });
            pieces.push(...page.items);
            cursor = page.next ?? undefined;
          } while (cursor !== undefined && pieces.length < 10);
          // Letters compare the rows of the first page only.
          const withoutLetters = ({ letters: _, ...row }: LeaderboardRow) => row;
          expect(pieces.map(withoutLetters)).toEqual(whole.map(withoutLetters));
        }
  });

  test('over all sweeps leaves out lower rungs unless asked for', async () => {
    const sweep = await climb();
    await runAll();
    const plain = await submit(db, { seeds: [seed], space: { gamma: [6] } });
    await runAll();
    const ours = async (rungs: string) =>
      brief(
        (await rank({ rungs, limit: 1000 })).items.filter(({ sweepId }) =>
          [sweep, plain.sweepId].includes(sweepId),
        ),
      ).map(([rung, , gamma]) => [rung, gamma]);
    expect(await ours('highest')).toEqual([
      [2, 2],
      [undefined, 6],
    ]);
    expect(await ours('all')).toHaveLength(8);
  });
});

describe('a trial of a search', () => {
  test('says which decision made it, and its rung only with promotion', async () => {
    const promoted = await climb();
    await drain(db);
    const { items } = await listTrials(db, { sweepId: promoted, limit: 9 });
    expect(items.map(({ decision, rung }) => [decision, rung])).toEqual([
      [0, 0],
      [1, 0],
      [2, 0],
      [3, 0],
      [4, 1],
      [5, 1],
      [6, 2],
    ]);
    const sweepId = await submitSearch(db, searching({ seeds: [seed] }));
    const trial = await getTrial(db, `${sweepId}-00000`);
    expect(trial.decision).toBe(0);
    expect(trial).not.toHaveProperty('rung');
    const plain = await submit(db, { seeds: [seed] });
    expect(await getTrial(db, `${plain.sweepId}-00000`)).not.toHaveProperty('decision');
  });
});

describe('the best of a search in lists', () => {
  const bestIn = async (sweepId: string) => {
    const { overview } = await getSweep(db, sweepId);
    return overview?.best ? [overview.best.trial, overview.best.value] : null;
  };

  test('is that of the highest rung', async () => {
    const sweepId = await climb();
    expect(await bestIn(sweepId)).toBeNull();
    await runAll();
    expect(await bestIn(sweepId)).toEqual([6, 0.8]);
  });

  test.each([
    [[], [0, 0.8]],
    [['fgsm robustAccuracy <= 0.7'], [1, 0.6]],
    [
      ['fgsm robustAccuracy < 0.6', 'cleanAccuracy >= 0.5'],
      [2, 0.4],
    ],
    [['robustAccuracy > 0.6'], [0, 0.8]],
    [['fgsm robustAccuracy >= 0.9'], null],
    [['cleanAccuracy > 0.99'], null],
    [['fgsm medianL2 > 0'], [0, 0.8]],
    [['verdict != masked'], [1, 0.6]],
    [['verdict != untrained'], [0, 0.8]],
    [['verdict != suspect'], [1, 0.6]], // a masked seed is even worse
  ] satisfies [string[], [number, number] | null][])(
    'meets the constraints %j: %j',
    async (constraints, best) => {
      const search = { strategy: 'tpe' as const, trials: 3, constraints };
      const sweep = searching({ seeds: [seed], search });
      const sweepId = await submitSearch(db, sweep, { gamma: 2, configurations: 3 });
      await decide(db, sweepId, sweep, { number: 1, gamma: 4 });
      await decide(db, sweepId, sweep, { number: 2, gamma: 6 });
      await runAll();
      if (constraints[0]?.startsWith('verdict'))
        await query(db, `UPDATE trials SET verdict = 'masked' WHERE sweep_id = $1 AND number = 0`, [sweepId]);
      expect(await bestIn(sweepId)).toEqual(best);
      expect((await listSweeps(db, { limit: 1 })).items[0]!.overview).toEqual(
        (await getSweep(db, sweepId)).overview,
      );
    },
  );
});

describe('the units of a search', () => {
  test('have the interval, the images and the verdict of the leaderboard', async () => {
    const sweep = searching({ seeds: [seed, seed + 3000] });
    const sweepId = await submitSearch(db, sweep, { gamma: 2, configurations: 2 });
    await decide(db, sweepId, sweep, { number: 1, gamma: 4 });
    await runAll();
    const [best, second] = (await rank({ sweep: sweepId, group: 'configuration' })).items;
    expect([best!.value, second!.value]).toEqual([0.8, 0.6]);
    const record = await readSearch(db, sweepId);
    const units = record.decisions.map(({ trials }, number) => ({
      trial: trials[0]!.id,
      values: [0.9, number === 0 ? 0.8 : 0.6],
    }));
    const found = await unitEvidence(db, units, [
      { attack: undefined, metric: 'cleanAccuracy' },
      { attack: undefined, metric: 'robustAccuracy' },
    ]);
    expect(found).toEqual(
      [best!, second!].map(({ interval, counts, cleanInterval, verdict }) => ({
        evidence: [
          { interval: cleanInterval, images: 40, seeds: 2 },
          { interval, images: counts.images, seeds: 2 },
        ],
        verdict,
      })),
    );
    expect(await unitEvidence(db, [], [])).toEqual([]);
  });
});

describe('the progress of a search', () => {
  test('counts the trials to come', async () => {
    const sweep = searching({ seeds: [seed] });
    const sweepId = await submitSearch(db, sweep, { configurations: 4 });
    await query(
      db,
      `UPDATE sweeps SET plan = jsonb_set(jsonb_set(plan, '{epochs,needed}', '24'), '{stages,attack,total}', '4') WHERE id = $1`,
      [sweepId],
    );
    await drain(db);
    // One of four trials has ended: its 6 epochs and its attack are a quarter of the plan.
    expect(await getSweep(db, sweepId)).toMatchObject({
      status: 'running',
      progress: 0.25,
      search: { ended: null, configurations: 4, proposed: 1, trialsToCome: 3 },
    });
    await decide(db, sweepId, sweep, { number: 1, gamma: 7 });
    expect(await getSweep(db, sweepId)).toMatchObject({
      progress: 0.25,
      search: { proposed: 2, trialsToCome: 2 },
    });
    await endSearch(db, sweepId, 'stopped');
    // Two of four trials are half of the planned work, and one of them has ended.
    expect(await getSweep(db, sweepId)).toMatchObject({
      progress: 0.5,
      search: { ended: 'stopped', trialsToCome: 0 },
    });
    await drain(db);
    const ended = await getSweep(db, sweepId);
    expect(ended).toMatchObject({ status: 'completed', progress: 1, search: { trialsToCome: 0 } });
    routes.getSweep.response.parse(ended);
    const { items } = await listSweeps(db, { limit: 1 });
    expect(items[0]!.search).toEqual(ended.search);
    expect(await getSweep(db, (await submit(db, { seeds: [seed] })).sweepId)).not.toHaveProperty('search');
  });
});

describe('an extension', () => {
  test('lets an ended sweep go on, once for two equal requests', async () => {
    const sweep = searching({ seeds: [seed] });
    const sweepId = await submitSearch(db, sweep, { configurations: 1 });
    await drain(db);
    await endSearch(db, sweepId, 'trials');
    expect(await sweepStatus(db, sweepId)).toBe('completed');
    const { plan } = await getSweep(db, sweepId);
    const ann = actingAs(db, { actor: 'ann', address: null });
    const extension = { from: 1, to: 3, plan: { ...plan, trials: 3 } };
    await extendSearch(ann, sweepId, extension);
    // Another request that saw the same number would otherwise be told that it added configurations.
    await expect(extendSearch(ann, sweepId, extension)).rejects.toMatchObject({ code: 'INVALID_TRANSITION' });
    expect(await getSweep(db, sweepId)).toMatchObject({
      status: 'running',
      finishedAt: null,
      search: { ended: null, configurations: 3, proposed: 1, trialsToCome: 2 },
    });
    expect((await listAudit(db, { limit: 1 })).items).toMatchObject([
      { actor: 'ann', action: 'extendSearch', subject: sweepId, details: { trials: 2 } },
    ]);
    expect(await takeDueSearch(db)).toMatchObject({ sweepId });
    expect(await decide(db, sweepId, sweep, { number: 1, gamma: 7 })).toBe('written');
    await expect(extendSearch(db, sweepId, { ...extension, to: 5 })).rejects.toMatchObject({
      code: 'INVALID_TRANSITION',
      message: `Expected a search of 1 configurations to extend, but ${sweepId} has 3 by now. Extend it again.`,
    });
  });

  test('is refused for a cancelled sweep, for one without such a search, and beyond the share of its client', async () => {
    const cancelled = await submitSearch(db, searching({ seeds: [seed] }));
    const { plan } = await getSweep(db, cancelled);
    await cancelSweep(db, cancelled);
    const plain = await submit(db, { seeds: [seed] });
    for (const sweepId of [cancelled, plain.sweepId])
      await expect(extendSearch(db, sweepId, { from: 4, to: 8, plan })).rejects.toMatchObject({
        code: 'INVALID_TRANSITION',
      });
    await expect(extendSearch(db, 'none', { from: 4, to: 8, plan })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await drain(db);

    const client = `client ${seed}`;
    const sweepId = await submitSearch(db, searching({ seeds: [seed + 1000] }), { client });
    const { plan: own } = await getSweep(db, sweepId);
    const limits = { ...defaultLimits, ownSweeps: 1, ownBytes: 1e9 };
    const estimate = { parameters: 1, trainerBytes: 1, storedBytes: 2e9, attackQueries: 1 };
    await expect(
      extendSearch(db, sweepId, { from: 4, to: 8, plan: { ...own, estimate }, limits }),
    ).rejects.toMatchObject({ code: 'TOO_MANY_OWN_BYTES' });
    await extendSearch(db, sweepId, { from: 4, to: 8, plan: own, limits }); // it is the one sweep that runs
    await drain(db);
    await endSearch(db, sweepId, 'exhausted');
    await submitSearch(db, searching({ seeds: [seed + 2000] }), { client });
    await expect(extendSearch(db, sweepId, { from: 8, to: 9, plan: own, limits })).rejects.toMatchObject({
      code: 'TOO_MANY_OWN_SWEEPS',
    });
    expect(await sweepStatus(db, sweepId)).toBe('completed');
  });
});

describe('points of users', () => {
  test('wait in order, each once, until a decision takes the oldest', async () => {
    const sweep = searching({ seeds: [seed] });
    const sweepId = await submitSearch(db, sweep);
    for (const gamma of [7, 8, 7]) await addHandPoint(db, sweepId, { gamma });
    expect((await readSearch(db, sweepId)).handPoints).toEqual([{ gamma: 7 }, { gamma: 8 }]);
    await decide(db, sweepId, sweep, { number: 1, gamma: 7, source: 'hand' }, { handPoint: true });
    await decide(db, sweepId, sweep, { number: 1, gamma: 7, source: 'hand' }, { handPoint: true });
    expect((await readSearch(db, sweepId)).handPoints).toEqual([{ gamma: 8 }]);
    for (let gamma = 9; gamma < 108; gamma++) await addHandPoint(db, sweepId, { gamma });
    await expect(addHandPoint(db, sweepId, { gamma: 500 })).rejects.toMatchObject({
      code: 'INVALID_TRANSITION',
      message: expect.stringContaining('Expected at most 100 points that wait'),
    });
    await endSearch(db, sweepId, 'stopped');
    await expect(addHandPoint(db, sweepId, { gamma: 3 })).rejects.toMatchObject({
      code: 'INVALID_TRANSITION',
      message: expect.stringContaining('has ended. Extend it first.'),
    });
  });
});

describe('a later search', () => {
  test('reads configurations of earlier sweeps that have ended at the highest rung, with the values of its objectives', async () => {
    const promoted = await climb();
    await runAll();
    const plain = await submit(db, {
      seeds: [seed, seed + 1000],
      space: { gamma: [3] },
      attacks: [
        { attack: 'fgsm', search: false },
        { attack: 'fgsm', search: false, epsilon: weak },
      ],
    });
    await runAll();
    const waiting = await submit(db, { seeds: [seed + 2000], space: { gamma: [3] } });
    const [first, second] = (await getTrial(db, `${plain.sweepId}-00000`)).evaluations;
    const values = [first!, second!].map(({ attack: name, settings }) => ({
      attack: { attack: name, settings } as AttackSpec,
      metric: 'robustAccuracy' as const,
    }));
    const earlier = await readEarlier(db, [plain.sweepId, promoted, waiting.sweepId], {
      values: [...values, { attack: undefined, metric: 'successRate' }],
      changesOf: () => [],
    });
    expect(earlier.map(({ sweepId, configurations }) => [sweepId, configurations.length])).toEqual([
      [plain.sweepId, 1],
      [promoted, 1],
      [waiting.sweepId, 0],
    ]);
    expect(earlier[0]!.configurations[0]).toMatchObject({
      recipe: 'funn',
      hyperparameters: { gamma: 3 },
      trials: [
        { seed, status: 'completed', verdict: 'ok', values: [0.7, 0.8, 0.3] },
        { seed: seed + 1000, status: 'completed', verdict: 'ok', values: [0.7, 0.8, 0.3] },
      ],
    });
    expect(earlier[1]!.configurations[0]).toMatchObject({
      hyperparameters: { gamma: 2, optimiseEpochs: 9 },
      trials: [{ values: [0.8, null, 0.2] }],
    });
    // A stage of a version without one of the settings: the setting has its default there.
    await query(
      db,
      `UPDATE stages SET attack = attack #- '{settings,search}' WHERE id IN (
         SELECT ts.stage_id FROM trial_stages ts WHERE ts.trial_id = $1)`,
      [`${plain.sweepId}-00000`],
    );
    const [again] = await readEarlier(db, [plain.sweepId], { values, changesOf: () => [] });
    expect(again!.configurations[0]!.trials.map((trial) => trial.values)).toEqual([
      [0.7, 0.8],
      [0.7, 0.8],
    ]);
    const older = await readEarlier(db, [plain.sweepId], {
      values,
      changesOf: ({ kind }) => (kind === 'optimise' ? [{} as never] : []),
    });
    expect(older[0]!.configurations).toEqual([]);
    await expect(readEarlier(db, ['none'], { values, changesOf: () => [] })).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
      details: { issues: [{ path: 'search.from[0]' }] },
    });
  });
});

test('a collection keeps the checkpoints from which a promotion continues, as long as the sweep runs', async () => {
  const sweep = searching({ seeds: [seed], search: promoting });
  const sweepId = await submitSearch(db, sweep, { configurations: 9 });
  await drain(db);
  const policy = RetentionPolicy.parse({ keepDays: 0, keepBest: 0, metric: 'robustAccuracy' });
  await collectGarbage(db, policy, { dryRun: false });
  await decide(db, sweepId, sweep, { number: 9, gamma: 5, rung: 1, configuration: 0, source: 'promotion' });
  expect((await drain(db)).epochs).toBe(2 + 1);
  await endSearch(db, sweepId, 'trials');
  await endSearch(db, sweepId, 'stopped');
  expect(await sweepStatus(db, sweepId)).toBe('completed');
  await collectGarbage(db, policy, { dryRun: false });
  const { plan } = await getSweep(db, sweepId);
  await extendSearch(db, sweepId, { from: 9, to: 10, plan });
  await decide(db, sweepId, sweep, { number: 12, gamma: 5, rung: 2, configuration: 0, source: 'promotion' });
  expect((await drain(db)).epochs).toBe(2 + 9 + 1); // trained anew, with the same result
});
