/** The findings on made-up sweeps: tables by hand, and sentences that depend on the numbers. */
import { type RecipeName, SweepDefinition, type TrialVerdict } from '@funnel/contracts';
import { describe, expect, it } from 'vitest';
import { renderFindings } from '../src/findings/report.ts';
import { printedName, printedRows } from '../src/printed.ts';
import type { SweepResults, TrialResult } from '../src/results.ts';
import { made, passed } from './made.ts';

const sweep = (results: readonly TrialResult[], id = 'sweep'): SweepResults =>
  ({
    sweep: {
      ...{ id, name: 'Made up', createdAt: '2026-01-01T00:00:00Z', finishedAt: '2026-01-01T03:00:00Z' },
      ...{ epochsTrained: 27, plan: { estimate: { storedBytes: 3 * 1024 ** 3 } } },
      definition: SweepDefinition.parse({
        name: 'Made up',
        recipes: 'funn',
        dataset: { name: 'mnist', train: 6000, test: 1000, attack: 40 },
        space: { latent: [32, 64] },
        search: { strategy: 'random', trials: 2 },
        attacks: ['preset:paper'],
      }),
    },
    results,
  }) as never; // the fields that the report reads

const render = (parts: Partial<Parameters<typeof renderFindings>[0]>) =>
  renderFindings({ reproduction: [], fullSize: [], beyond: [], baselines: [], ...parts });

type Successes = (title: string) => number;
const setting = (number: number, successes: Successes, hyperparameters = {}, options = {}) =>
  made({ number, recipe: 'funn', seed: 0, hinge: [0.5], successes, hyperparameters, ...options });

/** Every row as printed, of 40 images: agrees with all. */
const asPrinted: Successes = (title) =>
  Math.round(0.4 * printedRows.find((row) => row.title === title)!.funn!.success);
const allFooled: Successes = () => 40;

const twoSettings = [setting(0, allFooled, { latent: 32 }), setting(1, asPrinted, { latent: 64 })];

/** The cells of the first line of a text that begins with these words. */
const cells = (text: string, start: string): string[] =>
  text
    .split('\n')
    .find((line) => line.startsWith(`| ${start} |`))!
    .split('|')
    .map((cell) => cell.trim())
    .slice(1, -1);

describe('the reproduction', () => {
  it('ranks the settings by nearness, and shows their values', () => {
    const { text } = render({ reproduction: [sweep(twoSettings)] }).report;
    expect(cells(text, 'setting')).toEqual(['setting', '1', '2']);
    expect(cells(text, 'Latent units').at(-1)).toBeDefined();
    expect(text).toContain('| Latent units | 64 | 32 |');
    expect(cells(text, 'rows that agree')).toEqual(['rows that agree', '11 of 11', '2 of 11']);
    expect(text).toContain(
      '| DeepFool L2, 50 steps | 0.54 % | **0.0 % [0.0, 8.8]** | 100.0 % [91.2, 100.0] |',
    );
    expect(text).toContain('1 `trial-1`, 2 `trial-0`');
  });

  it('says how to repeat the sweep and what it cost', () => {
    const { text } = render({ reproduction: [sweep(twoSettings)] }).report;
    expect(text).toContain(
      '1.0 minutes of trainers’ time, 3.0 hours from submission to end, with all pauses, about 3 GiB stored',
    );
    expect(text).toContain(`--set 'search={"strategy":"random","trials":2,"seed":0}'`);
  });

  it('says that none agrees only where none does', () => {
    const some = render({ reproduction: [sweep(twoSettings)] }).report.text;
    expect(some).toContain('**1 setting of 2 agrees with all 11 printed rows**: 1.');
    expect(some).not.toContain('**None of');
    const none = render({ reproduction: [sweep([setting(0, allFooled)])] }).report.text;
    expect(none).toContain(
      '**None of 1 setting agrees with all 11 printed rows.** The most rows that one setting agrees with are 2',
    );
    expect(none).toContain('No setting agrees with these printed rows: DeepFool L2, 50 steps');
    expect(none).not.toContain('agrees with all 11 printed rows**:');
  });

  it('finds the slowness of DeepFool where it is, and names the checks that flag it', () => {
    const slow = render({
      reproduction: [
        sweep([
          setting(
            0,
            asPrinted,
            {},
            { checks: [{ ...passed, id: 'H10', verdict: 'masked', detail: 'Zero.' }] },
          ),
        ]),
      ],
    }).report.text;
    expect(slow).toContain('**DeepFool L2 is as slow as printed in 1 of 1 setting**');
    expect(slow).toContain('setting 1 (0.0 % → 15.0 %; the checks call it masked: gradient-is-zero (H10))');
    expect(slow).toContain('**DeepFool L∞ is as slow as printed in 1 of 1 setting**');
    const quick = render({ reproduction: [sweep([setting(0, allFooled)])] }).report.text;
    expect(quick).toContain('**DeepFool L2 is as slow as printed in none of 1 setting**');
    expect(quick).toContain('In no setting do more steps find more.');
  });

  it('leaves a setting without a result in a row out of the ranking, and says so', () => {
    const part = setting(2, asPrinted, { latent: 128 });
    const evaluations = part.trial.evaluations.filter(({ attack }) => attack !== 'local-search');
    const failed = setting(3, allFooled, { latent: 16 }, { status: 'failed' });
    const { text } = render({
      reproduction: [sweep([...twoSettings, { ...part, trial: { ...part.trial, evaluations } }, failed])],
    }).report;
    expect(text).toContain('1 setting has no result in at least one printed row');
    expect(text).toContain('no place among the nearest: 3.');
    expect(text).toContain('1 of 4 trials did not complete (1 failed).');
    // The stages of the failed trial are not among the trained epochs.
    expect(text).toContain('3 of 4 trials completed, 27 epochs trained, ');
    expect(cells(text, 'setting')).toEqual(['setting', '1', '2']);
    expect(cells(text, 'LocalSearch').slice(2)).toEqual(['1', '2']); // agreeing settings, settings with a result
  });

  it('puts a network that may guess after the others', () => {
    const guesses = setting(2, asPrinted, { latent: 128 });
    const trial = { ...guesses.trial, verdict: 'untrained' as const };
    const { text } = render({ reproduction: [sweep([{ ...guesses, trial }, ...twoSettings])] }).report;
    expect(text).toContain('| Latent units | 64 | 32 | 128 |');
    expect(text).toContain('| verdict | ok | ok | untrained |');
    expect(text).toContain('In 1 of 3 settings the clean accuracy may be that of guesses');
    expect(text).toContain('These settings come after the others: 3.');
    expect(render({ reproduction: [sweep(twoSettings)] }).report.text).not.toContain('guesses');
  });

  it('counts the effects whose interval says something, and what chance would give', () => {
    const four = [32, 32, 64, 64].map((latent, i) =>
      setting(i, latent === 32 ? allFooled : asPrinted, { latent, noise: i % 2 === 0 ? 4 : 16 }),
    );
    const { report, data } = render({ reproduction: [sweep(four)] });
    const effects = data.reproduction!.effects;
    expect(effects).toHaveLength(4 * printedRows.length);
    // Printed “near 100 %” is 40 of 40, as in the other settings: two rows do not move. The second of two values mirrors the first.
    expect(report.text).toContain('22 effects have an interval, and 11 of these intervals do not contain 0.');
    expect(report.text).toContain('about 1 would not contain 0 by chance');
    expect(report.figures.map(({ file }) => file)).toEqual([
      'img/findings-rows.svg',
      'img/findings-effects.svg',
    ]);
  });

  it('gives the command that trains the nearest settings at the full size', () => {
    const { text } = render({ reproduction: [sweep(twoSettings)] }).report;
    const block = text.split('```sh\n')[2]!.split('\n```')[0]!;
    const flags = new Map(
      [...block.matchAll(/--set '([^=]+)=(.+)'/g)].map(([, name, value]) => [name!, value!] as const),
    );
    expect(flags.get('dataset.train')).toBe('60000');
    expect(flags.get('dataset.attack')).toBe('1000');
    const search = JSON.parse(flags.get('search')!);
    expect(search).toEqual({
      ...{ strategy: 'tpe', trials: 2, parallelism: 2 },
      try: [{ latent: 64 }, { latent: 32 }], // the nearest first
    });
    const definition = SweepDefinition.safeParse({
      ...{ name: flags.get('name'), recipes: 'funn', search },
      dataset: { name: 'mnist', train: 60_000, test: 10_000, attack: 1000 },
      space: JSON.parse(flags.get('space')!),
      attacks: JSON.parse(flags.get('attacks')!),
      objective: { attack: 'deepfool-l2', metric: 'medianL2' }, // the file's, since this sweep has none
    });
    expect(definition.error?.issues).toBeUndefined();
  });

  it('puts the full size beside the small one', () => {
    const { text } = render({
      reproduction: [sweep(twoSettings)],
      fullSize: [
        sweep([setting(0, allFooled, { latent: 64 }), setting(1, asPrinted, { latent: 16 })], 'full'),
      ],
    }).report;
    expect(cells(text, '2').slice(0, 6)).toEqual([
      '2',
      '1',
      ...cells(text, '2').slice(2, 4),
      '11 of 11',
      '2 of 11',
    ]);
    expect(cells(text, '1').slice(0, 2)).toEqual(['1', 'not in the small sweep']);
    expect(render({ reproduction: [sweep(twoSettings)] }).report.text).not.toContain(
      '## The nearest settings at the full size',
    );
  });

  it('has a data form with every number', () => {
    const { data } = render({ reproduction: [sweep(twoSettings)] });
    const [nearest] = JSON.parse(JSON.stringify(data)).reproduction.settings;
    expect(nearest.rows[0]).toMatchObject({
      ...{ name: 'DeepFool L2, 50 steps', successes: 0, attempted: 40, agrees: true },
    });
    expect(nearest.rows.map(({ name }: { name: string }) => name)).toEqual([
      ...new Set(printedRows.filter(({ funn }) => funn).map(printedName)),
    ]);
  });
});

type Net = {
  readonly median: number | 'Infinity';
  readonly verdict?: TrialVerdict;
  readonly clean?: number;
  readonly rung?: number;
};

/** A configuration of a search: one trial for each seed. */
const nets = (
  number: number,
  recipe: RecipeName,
  hyperparameters: object,
  seeds: readonly Net[],
): TrialResult[] =>
  seeds.map(({ median, verdict = 'ok', clean = 0.95, rung }, seed) => {
    const { trial, series } = made({
      number: 10 * number + seed,
      recipe,
      seed,
      successes: 40,
      hyperparameters: hyperparameters as never,
    });
    const worstCase = { within: {}, values: { medianL2: median } };
    return { series, trial: { ...trial, rung, verdict, cleanAccuracy: clean, worstCase } as never };
  });

const classic = nets(1, 'classic', {}, [{ median: 1 }, { median: 1.1 }, { median: 1 / 1.1 }]);
const thrice = (net: Net) => [
  net,
  { ...net, median: 1.1 * Number(net.median) },
  { ...net, median: Number(net.median) / 1.1 },
];

describe('beyond the paper', () => {
  it('finds a sound setting that needs 1.5 times the change over three seeds', () => {
    const results = [...classic, ...nets(2, 'funn', { gamma: 5 }, thrice({ median: 1.6 }))];
    const { report, data } = render({ beyond: [sweep(results)] });
    expect(report.text).toContain(
      '**There is a FUNN setting with at least × 1.5 the median L2 of the classic auto-encoder (1)',
    );
    expect(report.text).toContain(
      'setting 1 (median L2 1.6, × 1.60 [1.29, 1.99], clean accuracy 95.0 %, ok, 3 seeds)',
    );
    const { ratio } = data.beyond!.funn[0]!;
    // s = ln 1.1 on both sides, so the error is s·√(2/3) with four degrees of freedom.
    expect(ratio!.value).toBeCloseTo(1.6, 12);
    expect(ratio!.interval![1]).toBeCloseTo(1.6 * Math.exp(2.776445 * Math.log(1.1) * Math.sqrt(2 / 3)), 6);
    expect(report.text).not.toContain('There is not');
  });

  it('does not take one that the checks flag, or that has fewer seeds', () => {
    const results = [
      ...classic,
      ...nets(2, 'funn', { gamma: 5 }, thrice({ median: 3, verdict: 'masked' })),
      ...nets(3, 'funn', { gamma: 7 }, [{ median: 2 }]),
      ...nets(4, 'funn', { gamma: 9 }, thrice({ median: 1.2 })),
    ];
    const { text } = render({ beyond: [sweep(results)] }).report;
    expect(text).toContain('**There is not a FUNN setting');
    expect(text).toContain('These reach the ratio, but with fewer seeds: setting 2 (median L2 2, × 2.00, ');
    expect(text).toContain('1 setting reaches the ratio, but with a verdict');
    expect(text).toContain('setting 1 (median L2 3, × 3.00');
    expect(text).not.toContain('**There is a');
  });

  it('counts trials of the highest rung only, and ∞ as ∞', () => {
    const results = [
      ...nets(1, 'classic', {}, [{ median: 1, rung: 1 }]),
      ...nets(2, 'funn', { gamma: 5 }, [{ median: 9, rung: 0 }]),
      ...nets(3, 'funn', { gamma: 7 }, [{ median: 'Infinity', rung: 1 }]),
    ];
    const { report, data } = render({ beyond: [sweep(results)] });
    expect(report.text).not.toContain('may mislead');
    const untrained = nets(1, 'classic', {}, [{ median: 1, verdict: 'untrained' }]);
    const doubtful = render({ beyond: [sweep([...untrained, ...nets(2, 'funn', {}, [{ median: 2 }])])] });
    expect(doubtful.report.text).toContain('The verdict of this classic auto-encoder is untrained');
    expect(data.beyond!.funn.map(({ medianL2 }) => medianL2)).toEqual(['Infinity']);
    expect(report.text).toContain('median L2 ∞, × ∞');
  });

  it('stands beside the defences at about the same clean accuracy', () => {
    const found = nets(2, 'funn', { gamma: 5 }, thrice({ median: 1.6 }));
    const baselines = [
      ...nets(5, 'adversarial-training', { trainingEpsilon: 0.1 }, [{ median: 2, clean: 0.945 }]),
      ...nets(6, 'adversarial-training', { trainingEpsilon: 0.3 }, [{ median: 4, clean: 0.8 }]),
      ...nets(7, 'trades', {}, [{ median: 3, clean: 0.9 }]),
    ];
    const { text } = render({
      beyond: [sweep([...classic, ...found])],
      baselines: [sweep(baselines, 'b')],
    }).report;
    expect(text).toContain(
      '`adversarial-training` at about the same clean accuracy (94.5 % against 95.0 %) has a median L2 of 2 (ok)',
    );
    expect(text).toContain('`trades` at the nearest clean accuracy (90.0 % against 95.0 %)');
    const alone = render({ beyond: [sweep([...classic, ...found])] }).report.text;
    expect(alone).not.toContain('adversarial-training');
  });
});
