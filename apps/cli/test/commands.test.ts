/** Every command against a running service: a real database, the API, and a worker with simulated trainers. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type StartedApi, startApi } from '@funnel/api';
import type { LeaderboardRow, Plan, Stage, Sweep, SweepDetail, Trial, TrialDetail } from '@funnel/contracts';
import { createTestDatabase, type TestDatabase } from '@funnel/db/testing';
import { type RunningWorker, startWorker } from '@funnel/worker';
import { parquetReadObjects } from 'hyparquet';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { funnel, type Ran } from './funnel.ts';

const logger = pino({ level: 'silent' });
const quickstart = fileURLToPath(new URL('../../../examples/quickstart.yaml', import.meta.url));
const home = mkdtempSync(join(tmpdir(), 'funnel-cli-'));
let database: TestDatabase;
let api: StartedApi;
let worker: RunningWorker;

beforeAll(async () => {
  database = await createTestDatabase();
  const databaseUrl = database.url;
  api = await startApi({ databaseUrl, port: 0, engineVersion: 'stand-in', logger });
  const simulation = {
    stepMilliseconds: 10,
    faults: [
      { fault: 'throw', kind: 'optimise', seed: 13 },
      { fault: 'diverge', kind: 'optimise', seed: 14 },
    ],
  } as const;
  worker = await startWorker({ databaseUrl, slots: 2, maxAttempts: 1, simulation, log: logger });
});
afterAll(async () => {
  await worker?.stop();
  await api?.close();
  await database?.drop();
  rmSync(home, { recursive: true });
});

const run = (...args: string[]): Promise<Ran> =>
  funnel(args, { env: { FUNNEL_URL: api.url, FUNNEL_HOME: home } });

const json = async <T>(...args: string[]): Promise<T> => {
  const { status, stdout, stderr } = await run(...args, '--json');
  expect(stderr + stdout, args.join(' ')).not.toBe('');
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout);
};

const sweepFile = (name: string, lines: readonly string[]): string => {
  const path = join(home, `${name}.yaml`);
  writeFileSync(path, [`name: ${name}`, ...lines].join('\n'));
  return path;
};
const data = 'dataset: { name: glyphs, train: 128, test: 20, attack: 10 }';
const small = (name: string) =>
  sweepFile(name, [
    data,
    'space: { gamma: [1, 5], initialiseEpochs: 2, optimiseEpochs: 2, classifierEpochs: 1 }',
    'attacks: [fgsm, deepfool-l2]',
  ]);
const long = (name: string, seed: number) =>
  sweepFile(name, [data, 'space: { initialiseEpochs: 2000 }', 'attacks: [fgsm]', `seeds: [${seed}]`]);

describe('funnel', () => {
  it('plans, submits, watches and shows a sweep and its trials', async () => {
    const file = small('shown');
    const plan = await json<Plan>('plan', file);
    expect(plan).toMatchObject({ trials: 2, epochs: { unshared: 10, needed: 8 } });
    expect((await run('plan', file)).stdout).toContain(
      '8 to train; 10 without sharing: trials share 2 (1.25×)',
    );

    const watched = await run('submit', file, '--watch', '--key', 'once');
    expect(watched.status, watched.stderr).toBe(0);
    expect(watched.stderr).toMatch(/100 % · 9 of 9 stages/);
    expect(watched.stdout).toMatch(
      /^Ranked by median L∞ in the worst case over the attacks of each; [\s\S]*?\n\n#\s+trial\s+recipe\s+gamma/,
    );
    const again = await json<SweepDetail>('submit', file, '--key', 'once');
    const { sweep, leaderboard } = await json<{ sweep: SweepDetail; leaderboard: LeaderboardRow[] }>(
      'watch',
      again.id,
    );
    expect(sweep).toMatchObject({ id: again.id, status: 'completed', trials: { completed: 2 } });
    expect(leaderboard).toHaveLength(2);

    expect((await json<Sweep[]>('ls')).map(({ id }) => id)).toContain(sweep.id);
    expect((await run('ls')).stdout).toMatch(/completed\s+100 % .*shown$/m);
    expect((await run('show', sweep.id)).stdout).toContain('8 trained of 8 planned; 10 without sharing');
    const { trialId } = leaderboard[0]!;
    const trial = await json<TrialDetail>('show', trialId);
    expect(trial.evaluations.map(({ attack }) => attack).sort()).toEqual(['deepfool-l2', 'fgsm']);
    const shown = (await run('show', trialId)).stdout;
    expect(shown).toMatch(/optimise\s+completed\s+2/);
    const { images, correct } = trial.perClass!;
    for (const [label, count] of images.entries())
      expect(shown).toMatch(
        new RegExp(
          `^${label} +${count} +${((100 * correct[label]!) / count).toFixed(1)} % \\([\\d.]+–[\\d.]+\\)$`,
          'm',
        ),
      );
  });

  it('shows the values of each hyperparameter in a plan, and finds trials by all digits of a number', async () => {
    const file = sweepFile('digits', [
      data,
      'recipes: adversarial-training',
      'space:',
      '  latent: { min: 1, max: 3, count: 5 }',
      '  classifierEpochs: 1',
      '  classifierRate: [1e-7, 0.30000000000000004]',
      '  trainingReach: { min: 1, max: 64, count: 1000 }',
      'search: { strategy: random, trials: 6, seed: 1 }',
      'attacks: [fgsm]',
    ]);
    const { stdout } = await run('plan', file);
    expect(stdout).toMatch(/^latent +1, 2, 3$/m);
    expect(stdout).toMatch(/^classifierRate +1e-7, 0\.30000000000000004$/m);
    expect(stdout).toMatch(/^trainingReach +1, 1\.06306306306, .*, … 1,000 in all$/m);
    expect(stdout).toMatch(/^latent: 5 asked for, 3 different$/m);
    const more = ['--set', 'search.trials=50', '--set', 'space.trainingReach=2'];
    expect((await run('plan', file, ...more)).stdout).toMatch(/^6 of 50: the space has no more$/m);

    const { id } = await json<SweepDetail>('submit', file);
    await json('watch', id);
    const trials = await json<Trial[]>('trials', id);
    for (const text of ['1e-7', '0.0000001', '0.30000000000000004', '0.3']) {
      // 0.3 stands for every number that a table shows as 0.3.
      const alike = trials.filter(
        ({ hyperparameters: h }) => Number(h.classifierRate).toPrecision(4) === Number(text).toPrecision(4),
      );
      const rows = await json<LeaderboardRow[]>('best', '--sweep', id, '--where', `classifierRate:${text}`);
      expect(rows.map(({ trialId }) => trialId).sort(), text).toEqual(alike.map((trial) => trial.id).sort());
    }
    expect(new Set(trials.map(({ hyperparameters: h }) => h.classifierRate))).toEqual(
      new Set([1e-7, 0.30000000000000004]),
    );
  });

  it('ranks, compares and exports', async () => {
    const { id } = await json<SweepDetail>('submit', small('ranked'));
    await json('watch', id);
    const rows = await json<LeaderboardRow[]>(
      'best',
      '--sweep',
      id,
      '--attack',
      'fgsm',
      '--metric',
      'medianL2',
    );
    expect(rows.map(({ rank }) => rank)).toEqual([1, 2]);
    expect(await json('best', '--sweep', id, '--where', 'gamma:5')).toHaveLength(1);
    const [a, b] = rows.map(({ trialId }) => trialId) as [string, string];
    expect((await run('compare', a, b)).stdout).toMatch(/gamma\s+\d\s+\d/);
    expect((await json<{ differs: string[] }>('compare', a, b)).differs).toEqual(['gamma']);
    const { stdout } = await run('export', '--sweep', id);
    const [titles, ...lines] = stdout.trimEnd().split('\r\n');
    expect(titles).toMatch(/^rank,trialId,sweepId,recipe,.*gamma/);
    expect(lines).toHaveLength(2);
    expect(await json('export', '--sweep', id)).toHaveLength(2);
  });

  it('exports the same trials, evaluations and curves in every format', async () => {
    const { id } = await json<SweepDetail>('submit', small('exported'));
    await json('watch', id);
    type Row = Record<string, unknown>;
    const trials = await json<Row[]>('export', 'trials', '--sweep', id);
    expect(trials.map(({ gamma, status }) => [gamma, status])).toEqual([
      [1, 'completed'],
      [5, 'completed'],
    ]);
    const evaluations = await json<Row[]>('export', 'evaluations', '--sweep', id);
    const first = await json<TrialDetail>('show', String(trials[0]?.trialId));
    expect(evaluations).toHaveLength(4);
    for (const { attack, summary, verdict } of first.evaluations)
      expect(
        evaluations.find((row) => row.trialId === first.id && row.attack === attack),
        attack,
      ).toMatchObject({
        cleanAccuracyOfAttackImages: summary.cleanAccuracy,
        robustAccuracy: summary.robustAccuracy,
        robustIntervalLow: summary.robustInterval?.[0] ?? null,
        medianL2: summary.medianL2,
        attackVerdict: verdict,
        gamma: 1,
      });
    const classes = await json<Row[]>('export', 'classes', '--sweep', id);
    expect(classes).toHaveLength(10 * trials.length);
    const { data, perClass } = first;
    expect(classes.filter(({ trialId }) => trialId === first.id)).toMatchObject(
      perClass!.images.map((images, label) => {
        const correct = perClass!.correct[label]!;
        return { label, class: data.classes[label], images, correct, accuracy: correct / images, gamma: 1 };
      }),
    );
    const metrics = await json<Row[]>('export', 'metrics', '--sweep', id);
    expect(
      metrics.filter(({ kind, metric }) => kind === 'initialise' && metric === 'defenderLoss'),
    ).toHaveLength(4);

    const file = join(home, 'new', 'tables', 'metrics.parquet');
    const refused = await run('export', 'metrics', '--sweep', 'none', '--out', file);
    expect([refused.status, existsSync(join(home, 'new'))]).toEqual([3, false]);
    const written = await run('export', 'metrics', '--sweep', id, '--out', file);
    expect(written.stderr).toMatch(
      new RegExp(
        `^Wrote ${metrics.length} rows of \\d+ columns to ${file}, and made the folder ${join(home, 'new')}\\.\n`,
        'm',
      ),
    );
    const bytes = new Uint8Array(readFileSync(file));
    expect(await parquetReadObjects({ file: bytes.buffer })).toEqual(metrics);
    expect(
      (await run('export', 'trials', '--sweep', id, '--format', 'csv')).stdout.split('\r\n'),
    ).toHaveLength(4);

    const mixed = await run('export', 'trials', '--attack', 'fgsm');
    expect([mixed.status, mixed.stderr]).toEqual([
      2,
      expect.stringContaining('--attack is only for the leaderboard'),
    ]);
  });

  it('finds sweeps and trials by the start of an id, by a name, by a number, and as latest', async () => {
    const { id } = await json<SweepDetail>('submit', small('found by its name'));
    for (const word of [id.slice(0, 15), 'found by its name', 'latest'])
      expect([word, (await json<SweepDetail>('show', word)).id]).toEqual([word, id]);
    for (const word of [`${id.slice(0, 15)}-1`, 'found by its name-1', 'latest-1', `${id}-00001`])
      expect([word, (await json<{ id: string }>('show', word)).id]).toEqual([word, `${id}-00001`]);
    expect((await run('compare', 'latest-0', 'latest-1')).stdout).toMatch(/gamma\s+\d\s+\d/);
    expect((await run('log', 'latest-0')).stdout).toContain('initialise: ');

    const alike = await run('show', 'found by');
    expect([alike.status, alike.stderr]).toEqual([
      3,
      expect.stringMatching(
        new RegExp(
          `^There is no sweep .* found by\\. Did you mean one of these\\?\n  ${id}  .*found by its name\n$`,
        ),
      ),
    ]);
    const ambiguous = await run('show', id.slice(0, 2));
    expect([ambiguous.status, ambiguous.stderr]).toEqual([
      2,
      expect.stringMatching(new RegExp(`sweeps have an id that begins with ${id.slice(0, 2)}.*\n  ${id}  `)),
    ]);
  });

  it('pauses, resumes, cancels and deletes', async () => {
    const file = long('long', 1);
    const { id } = await json<SweepDetail>('submit', file, '--key', 'long');
    expect((await json<Sweep>('pause', id)).status).toMatch(/^paus(ing|ed)$/);
    const following = await run('watch', id, '--timeout', '1');
    expect([following.status, following.stderr]).toEqual([
      124,
      expect.stringMatching(new RegExp(`· paus(ing|ed)\n +\`npx funnel resume ${id}\` goes on`)),
    ]);
    const paused = await run('show', id);
    expect(paused.stdout).toContain(`until the sweep is resumed. \`npx funnel resume ${id}\``);
    expect(await json('resume', id)).toMatchObject({ status: 'running' });
    expect((await run('delete', id)).stdout).toMatch(
      new RegExp(
        `^Would delete long \\(${id}\\), running, 1 trial, .*\\n→ \`npx funnel cancel ${id}\` ends it\\.`,
      ),
    );
    const refused = await run('delete', id, '--yes');
    expect(refused.status).toBe(3);
    expect(refused.stderr).toContain('The current status does not allow this');
    expect((await json<Sweep>('cancel', id)).status).toMatch(/^cancell(ing|ed)$/);
    const again = await run('submit', file, '--key', 'long');
    expect([again.status, again.stderr]).toEqual([
      5,
      expect.stringContaining(`The key long belongs to sweep ${id}, which was cancelled, so nothing runs.`),
    ]);
    expect((await run('cancel', id)).status).toBe(3);
    const watched = await run('watch', id);
    expect(watched.status).toBe(5);
    expect(watched.stderr).toMatch(
      /Kept: 0 of 1 trial, \d+ of [\d,]+ epochs\. To go on, submit the sweep again/,
    );
    expect((await run('delete', id)).stdout).toBe(
      `Would delete long (${id}), cancelled, 1 trial, and the stages that no other sweep needs. Nothing was deleted: add --yes to delete.\n`,
    );
    expect(await json('delete', id)).toEqual({
      ...{ id, name: 'long', status: 'cancelled', trials: 1, deleted: false },
    });
    expect((await run('show', id)).status).toBe(0);
    expect((await run('delete', id, '--yes')).stdout).toBe(`Sweep ${id} is deleted: long, 1 trial.\n`);
    expect((await run('show', id)).status).toBe(3);
  });

  it('lists trials and workers, and says which trial failed, where and why', async () => {
    const failing = sweepFile('failing', [
      data,
      'space: { initialiseEpochs: 1, optimiseEpochs: 1, classifierEpochs: 1 }',
      'attacks: [fgsm]',
      'seeds: [12, 13, 14]',
    ]);
    const watched = await run('submit', failing, '--watch');
    expect(watched.status).toBe(5);
    expect(watched.stderr).toMatch(/Not every trial completed: (1 \w+(, )?){3}\./);
    expect((await run('ls')).stdout).toMatch(/completed with failures +33\.3 % .*failing$/m);
    const id = /Sweep (\S+) submitted/.exec(watched.stderr)![1]!;
    const shown = await run('show', id);
    for (const text of [watched.stderr, shown.stdout]) {
      expect(text).toMatch(/✗ trial 1 \(\S+\) failed, optimise: \w+: .*told to throw/);
      expect(text).toMatch(/✗ trial 2 \(\S+\) diverged, optimise/);
      expect(text).toContain(`npx funnel retry ${id}`);
    }
    expect((await json<SweepDetail>('show', id)).trials).toMatchObject({ failed: 1, diverged: 1 });

    expect(await json('trials', id)).toHaveLength(3);
    expect((await run('trials', id)).stdout).toMatch(
      /^#\s+trial\s+recipe\s+seed\s+status.*\n\s*0 .*completed/,
    );
    const [failed] = await json<Trial[]>('trials', id, '--status', 'failed');
    expect(failed).toMatchObject({ seed: 13 });
    const cut = await run('trials', id, '--limit', '2');
    expect([cut.stdout.trimEnd().split('\n').length, cut.stderr]).toEqual([
      3,
      expect.stringContaining('first 2'),
    ]);

    const log = await run('log', failed!.id);
    expect(log.stdout).toMatch(/^initialise: completed \(stage \w{64}\)\n/);
    expect(log.stdout).toMatch(/\noptimise: failed \(stage \w{64}\)\n(.*\n)*✗ .* attempt 1 .*told to throw/);
    const logs = await json<{ stage: Stage }[]>('log', failed!.id);
    const [one] = await json<{ stage: Stage }[]>('log', logs[1]!.stage.id);
    expect(one!.stage).toMatchObject({ kind: 'optimise', status: 'failed' });

    expect(await json('workers')).toMatchObject([{ id: worker.id, slots: 2 }]);
    expect((await run('workers')).stdout).toMatch(/online .* of 2/);
  });

  it('reads a sweep from stdin and stops watching at Ctrl-C', async () => {
    const { spawnFunnel } = await import('./funnel.ts');
    const child = spawnFunnel(['submit', '-', '--watch'], { env: { FUNNEL_URL: api.url } });
    let stderr = '';
    const watching = new Promise<void>((resolve) => {
      child.stderr.on('data', (chunk) => {
        stderr += chunk;
        if (/0 of \d stages/.test(stderr)) resolve();
      });
    });
    child.stdin.end(readFileSync(long('watched', 2)));
    await watching;
    child.kill('SIGINT');
    const [status] = await new Promise<[number | null]>((resolve) =>
      child.on('close', (code) => resolve([code])),
    );
    expect(status).toBe(130);
    expect(stderr).toMatch(/The sweep goes on\. Watch it again: `npx funnel watch \S+`\n$/);
    const id = /Sweep (\S+) submitted/.exec(stderr)![1]!;
    expect(await json('show', id)).toMatchObject({ status: 'running' });
    await run('cancel', id);
  });

  it('names the path of each mistake in a sweep, and exits with 3', async () => {
    const { status, stderr } = await run('plan', sweepFile('wrong', [data, 'space: { gama: 1 }']));
    expect(status).toBe(3);
    expect(stderr).toMatch(
      /^[^\n]*wrong[^\n]* has a mistake:\n {2}line 3, space\.gama: expected a known key[^\n]*\n→ Correct the file and try again\.\n$/,
    );
  });

  it.each([
    [['plan', '/nowhere/sweep.yaml'], 2, /cannot be read/],
    [['plam', 'x'], 2, /error: unknown command 'plam'\n→ did you mean "plan"\?/],
    [['plan', '--jso'], 2, /unknown option '--jso'\n→ did you mean "--json"\?/],
    [['best', '--attack', 'pgd'], 2, /Allowed choices are .*\n→ did you mean "pgd-linf" or "pgd-l2"\?/],
    [['best', '--metric', 'robust'], 2, /→ did you mean "robustAccuracy"\?/],
    [['token', 'craete'], 2, /→ did you mean "create"\?/],
    [['best', '--metric', 'beauty'], 2, /Allowed choices are robustAccuracy/],
    [['show'], 2, /missing required argument/],
    [
      ['attack', '--attack', 'fgsm', 'pgd-linf', '--set', 'steps=9', 'epsilon=0.1'],
      2,
      /got pgd-linf, epsilon=0\.1 without one\.\n→ Repeat the option: --attack pgd-linf --set epsilon=0\.1\n$/,
    ],
    [['ls', '--limit', 'many'], 2, /Expected a whole number of at least 1/],
    [['up', '--port', '70700'], 2, /Expected a whole number from 0 to 65535/],
    [
      ['worker', '--backend', 'cude'],
      2,
      /'cude' is invalid. Allowed choices are auto, cuda, tensorflow, webgpu, wasm, cpu./,
    ],
    [['gc', '--keep-days', '-1'], 2, /Expected a number from 0 to 36500\./],
    [['gc', '--keep-days', '1e99'], 2, /Expected a number from 0 to 36500\./],
    [['gc', '--keep-sweep', 'nothing'], 3, /no sweep with the id or the name nothing/],
    [['token', 'create', 'a'.repeat(201)], 2, /Expected at most 200 characters, but got 201\./],
    [['plan', quickstart, '--set', 'seeds=[1'], 2, /Expected a value in YAML, but got \[1/],
    [['plan', quickstart, '--set', 'seeds='], 2, /Expected a value after seeds=, but got none/],
    [['plan', quickstart, '--set', 'name.x=1'], 2, /--set name\.x cannot be applied/],
    [
      ['export', '--out', '/dev/null/all.csv'],
      2,
      /after --out, but got \/dev\/null\/all\.csv: a part of its path is no folder\n$/,
    ],
    [['ls', '--url', 'http://127.0.0.1:9'], 4, /npm start/],
    [['show', 'nothing'], 3, /no sweep with the id or the name nothing/],
    [['show', '0123456789abcdef'], 3, /Expected a sweep, but there is none with id 0123456789abcdef/],
    [
      ['log', 'nothing'],
      2,
      /Expected a trial, as its id or as SWEEP-NUMBER such as latest-0, but got nothing/,
    ],
    [['ls', '--url', 'nonsense'], 2, /such as http:.* but got nonsense \(--url\)/],
    [['plan', '/dev/null'], 2, /is empty: expected a sweep/],
  ] as const)('%j ends with %i', async (args, status, words) => {
    const ran = await run(...args);
    expect(ran.stderr).toMatch(words);
    expect(ran.status).toBe(status);
  });
});
