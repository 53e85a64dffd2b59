import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  type AttackSpec,
  attackNames,
  attacks,
  DatasetName,
  datasets,
  type EvaluationRecords,
  type EvaluationSummary,
  presetNames,
  presets,
} from '@funnel/contracts';
import type { DataFolders } from '@funnel/engine';
import { type Command, Option } from 'commander';
import { z } from 'zod';
import type { Context } from '../context.ts';
import { dataFoldersOf } from '../env.ts';
import { Exit, exitCodes } from '../exit.ts';
import { formatNumber, formatShare, formatTable } from '../output/format.ts';
import { present } from '../output/terminal.ts';
import { settingsText } from '../output/trials.ts';
import { collect, readWhole } from '../values.ts';
import { missingFor, readAttacks, readIndices, readSetting } from './arguments.ts';

type Setting = {
  readonly name: string;
  readonly title: string;
  readonly default: unknown;
  readonly description: string;
};

const settingsOf = (name: (typeof attackNames)[number]): Setting[] => {
  const { properties = {} } = z.toJSONSchema(attacks[name].settings, { io: 'input' });
  return Object.entries(properties).map(([key, property]) => {
    const {
      title = key,
      description = '',
      default: value,
    } = property as { title?: string; description?: string; default?: unknown };
    return { name: key, title, default: value, description };
  });
};

/** Every attack with its settings, and every preset, as the contracts declare them. */
const listAttacks = () => ({
  attacks: attackNames.map((name) => {
    const { title, description, citation, family, norm, access } = attacks[name];
    return { name, title, description, citation, family, norm, access, settings: settingsOf(name) };
  }),
  presets: presetNames.map((name) => ({ name: `preset:${name}`, description: presets[name].description })),
});

const describeAttacks = ({ attacks: all, presets: groups }: ReturnType<typeof listAttacks>): string => {
  const one = ({ name, title, description, family, norm, access, settings }: (typeof all)[number]): string =>
    [
      `${name}  ${title} (${family}, ${norm}, ${access})`,
      `  ${description}`,
      ...settings.map(
        (setting) => `    --set ${setting.name}=${JSON.stringify(setting.default)}  ${setting.description}`,
      ),
    ].join('\n');
  const presetTable = formatTable(
    [
      { title: 'preset', value: (preset: (typeof groups)[number]) => preset.name },
      { title: '', value: (preset) => preset.description },
    ],
    groups,
  );
  return `${all.map(one).join('\n\n')}\n\n${presetTable}`;
};

type Options = {
  readonly model?: string;
  readonly dataset?: DatasetName;
  readonly split: 'train' | 'test';
  readonly indices: string;
  readonly attack?: readonly string[];
  readonly set?: Readonly<Record<string, unknown>>;
  readonly seed: number;
  readonly backend: (typeof backends)[number];
  readonly out?: string;
  readonly list?: boolean;
};

const backends = ['auto', 'cuda', 'tensorflow', 'webgpu', 'wasm', 'cpu'] as const;

const rowsOf = (records: EvaluationRecords) =>
  records.index.map((index, row) => ({
    index,
    success: records.success[row]!,
    l2: records.l2[row]!,
    linf: records.linf[row]!,
    l0: records.l0[row]!,
    steps: records.steps[row]!,
  }));

type Result = AttackSpec & { readonly summary: EvaluationSummary; readonly rows: ReturnType<typeof rowsOf> };

const describeResults = (results: readonly Result[]): string =>
  formatTable<Result>(
    [
      { title: 'attack', value: ({ attack }) => attack },
      { title: 'settings', value: settingsText },
      { title: 'clean', value: ({ summary }) => formatShare(summary.cleanAccuracy), align: 'right' },
      { title: 'success', value: ({ summary }) => formatShare(summary.successRate), align: 'right' },
      { title: 'robust', value: ({ summary }) => formatShare(summary.robustAccuracy), align: 'right' },
      { title: 'median L2', value: ({ summary }) => formatNumber(summary.medianL2), align: 'right' },
      { title: 'median L∞', value: ({ summary }) => formatNumber(summary.medianLinf), align: 'right' },
      { title: 'noise level', value: ({ summary }) => formatNumber(summary.noiseLevel), align: 'right' },
    ],
    results,
  );

const required = <T>(value: T | undefined, flag: string): T => {
  if (value === undefined) throw new Exit(exitCodes.usage, `error: required option '${flag}' not specified`);
  return value;
};

const loadImages = async (
  name: DatasetName,
  split: 'train' | 'test',
  indices: readonly number[],
  folders: DataFolders,
) => {
  const { gatherImages, loadDataset } = await import('@funnel/engine');
  const size = datasets[name][split];
  const beyond = indices.find((index) => index >= size);
  if (beyond !== undefined)
    throw new Exit(
      exitCodes.usage,
      `Expected indices below ${size}, the ${split} images of ${name}, but got ${beyond}`,
    );
  const count = Math.max(...indices) + 1;
  const dataset = await loadDataset(
    { name, train: split === 'train' ? count : 1, test: split === 'test' ? count : 1, attack: 1 },
    folders,
  );
  const images = await dataset[split]();
  return { images: gatherImages(images, indices), labels: indices.map((index) => images.labels[index]!) };
};

const runAttacks = async (options: Options, { env, output, signal }: Context): Promise<void> => {
  const model = required(options.model, '--model DIR');
  const dataset = required(options.dataset, '--dataset NAME');
  const names = required(options.attack, '--attack NAME');
  const indices = readIndices(options.indices);
  if (options.out) mkdirSync(dirname(options.out), { recursive: true }); // Before the attacks, so that a wrong folder fails at once.
  const { specs, leftOut } = readAttacks(names, options.set ?? {}, dataset);
  const [{ openBackend }, { evaluateAttack }, { loadClassifier }] = await Promise.all([
    import('@funnel/engine'),
    import('@funnel/attacks'),
    import('./model.ts'),
  ]);
  const { name: backend } = await openBackend(options.backend);
  const { images, labels } = await loadImages(dataset, options.split, indices, dataFoldersOf(env));
  const classifier = await loadClassifier(model, dataset);
  const results: Result[] = [];
  for (const spec of specs) {
    const started = performance.now();
    const evaluation = await evaluateAttack({
      model: classifier,
      images,
      labels,
      indices,
      attack: spec,
      seed: options.seed,
      signal,
    });
    results.push({ ...spec, summary: evaluation.summary, rows: rowsOf(evaluation.records) });
    output.note(`${spec.attack}: ${((performance.now() - started) / 1000).toFixed(1)} s on ${backend}`);
  }
  for (const attack of leftOut) output.note(`${attack}: left out, because it needs ${missingFor(attack)}`);
  const [only] = results;
  const document = {
    model,
    dataset,
    split: options.split,
    seed: options.seed,
    backend,
    ...(results.length === 1 ? only : { evaluations: results }),
  };
  if (options.out) writeFileSync(options.out, `${JSON.stringify(document, null, 1)}\n`);
  present(output, document, () => describeResults(results));
};

export const attackCommand = (program: Command, context: () => Context): void => {
  program
    .command('attack')
    .description('attack any TensorFlow.js classifier from disk, image by image')
    .option('--model <dir>', 'folder with a model.json (layers or graph model; outputs logits)')
    .addOption(
      new Option('--dataset <name>', 'the data set of the images to attack').choices(DatasetName.options),
    )
    .addOption(
      new Option('--split <split>', 'the part of the data set').choices(['test', 'train']).default('test'),
    )
    .option('--indices <indices>', 'a range such as 0-99, or a file with a JSON array', '0-99')
    .option('--attack <name>', 'an attack or preset:NAME; may be repeated', collect)
    .option('--set <name=value>', 'a setting of the attack, such as steps=50; may be repeated', readSetting)
    .option('--seed <number>', 'seed of all random numbers', readWhole(0), 0)
    .addOption(
      new Option('--backend <name>', 'the backend of the computation').choices(backends).default('auto'),
    )
    .option('--out <file>', 'write the summary and one row per image as JSON')
    .option('--list', 'print every attack and preset with its settings')
    .addHelpText(
      'after',
      '\nExample:\n  npx funnel attack --model ./model --dataset mnist --indices 0-99 --attack deepfool-l2 --set steps=50 --out rows.json',
    )
    .action(async (options: Options) => {
      const given = context();
      if (options.list) return present(given.output, listAttacks(), describeAttacks);
      await runAttacks(options, given);
    });
};
