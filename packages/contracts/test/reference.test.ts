import { expect, it } from 'vitest';
import type { z } from 'zod';
import { type DatasetName, datasetNames, datasets } from '../src/datasets.ts';
import {
  attackNames,
  attacks,
  diagnosticIds,
  diagnostics,
  evaluationMetrics,
  hyperparameterDeclaration,
  hyperparameterNames,
  hyperparameters,
  isNumeric,
  presetNames,
  recipeNames,
  StageStatus,
  SweepStatus,
  TrialStatus,
  trainingMetrics,
  Verdict,
} from '../src/index.ts';
import {
  type Entry,
  type ReferenceTopic,
  reference,
  referencePage,
  referenceTopics,
} from '../src/reference/reference.ts';

const rows = Object.fromEntries(referenceTopics.map((topic) => [topic, reference[topic].entries()]));
const rowsOf = (topic: ReferenceTopic): readonly Entry[] => rows[topic]!;
const fieldOf = (topic: ReferenceTopic, name: string, title: string): readonly string[] | undefined =>
  rowsOf(topic)
    .find((entry) => entry.name === name)
    ?.fields.find((field) => field.title === title)?.lines;

it('every declared name has its row', () => {
  const expected: Readonly<Record<ReferenceTopic, readonly string[]>> = {
    recipes: recipeNames,
    datasets: datasetNames,
    hyperparameters: hyperparameterNames,
    attacks: attackNames,
    presets: presetNames.map((name) => `preset:${name}`),
    metrics: [...Object.keys(trainingMetrics), ...Object.keys(evaluationMetrics)],
    checks: diagnosticIds.map((id) => diagnostics[id].name),
    statuses: [
      ...[SweepStatus, TrialStatus, StageStatus, Verdict].flatMap(({ options }) => options),
      ...['too-few', 'untrained'],
    ],
  };
  for (const topic of referenceTopics)
    expect(
      rowsOf(topic).map(({ name }) => name),
      topic,
    ).toEqual(expected[topic]);
});

it.each(referenceTopics)('%s: every row has every field, in words', (topic) => {
  const titles = rowsOf(topic)[0]!.fields.map(({ title }) => title);
  expect(new Set(titles).size).toBe(titles.length);
  for (const { name, fields } of rowsOf(topic)) {
    expect(
      fields.map(({ title }) => title),
      name,
    ).toEqual(titles);
    for (const { title, lines } of fields) {
      expect(lines.length, `${name}, ${title}`).toBeGreaterThan(0);
      for (const line of lines) expect(line, `${name}, ${title}`).toMatch(/\S/);
      expect(lines.join(' '), `${name}, ${title}`).not.toMatch(/undefined|NaN|\[object/);
    }
  }
});

it('the usual range of a hyperparameter lies in its bounds and contains its default', () => {
  for (const name of hyperparameterNames) {
    const declaration = hyperparameterDeclaration(name);
    if (!isNumeric(declaration)) continue;
    const [least, most] = declaration.usual;
    expect(least, name).toBeLessThan(most);
    expect(least, name).toBeLessThanOrEqual(declaration.default);
    expect(most, name).toBeGreaterThanOrEqual(declaration.default);
    for (const end of declaration.usual) expect(hyperparameters[name].parse(end as never), name).toBe(end);
    if (declaration.scale === 'log') expect(least, name).toBeGreaterThan(0);
  }
});

it('an attack has a line for each of its settings', () => {
  for (const name of attackNames) {
    const settings: z.ZodObject = attacks[name].settings;
    const lines = fieldOf('attacks', name, 'settings')!;
    expect(lines.map((line) => line.split(' = ')[0])).toEqual(Object.keys(settings.shape));
  }
});

it('says what a reader looks for', () => {
  expect(fieldOf('hyperparameters', 'gamma', 'usual range')).toEqual(['1 to 25, on a log scale']);
  expect(fieldOf('hyperparameters', 'gamma', 'read by')).toEqual(['funn']);
  expect(fieldOf('hyperparameters', 'classifierRate', 'values')).toEqual(['a number above 0 and at most 1']);
  expect(fieldOf('recipes', 'classic', 'stages')).toEqual([
    'initialise: initialiseEpochs + optimiseEpochs = 9 + 31 epochs by default',
    'classify: classifierEpochs = 20 epochs by default',
  ]);
  expect(fieldOf('attacks', 'pgd-linf', 'queries')).toEqual(['41']); // one start, 40 steps and the last pass
  expect(fieldOf('attacks', 'pgd-linf', 'more queries with')).toEqual(['steps, restarts']);
  expect(fieldOf('metrics', 'successRate', 'over')).toEqual([
    'the correctly classified images of the attack',
  ]);
  expect(fieldOf('checks', 'gradient-is-zero', 'number')).toEqual(['H10']);
});

it('a preset names ε for each data set as a number', () => {
  expect(fieldOf('presets', 'preset:autoattack', 'members')?.[0]).toBe(
    'apgd-ce-linf epsilon=0.3 (mnist, glyphs), 0.1 (fashion-mnist), 8/255 (glyphs-colour)',
  );
  const { row } = rowsOf('presets').find(({ name }) => name === 'preset:autoattack')!;
  const members = row.attacks as Readonly<Record<DatasetName, readonly { readonly epsilon: number }[]>>;
  for (const name of datasetNames)
    expect(new Set(members[name].map(({ epsilon }) => epsilon))).toEqual(
      new Set([datasets[name].budgets.linf]),
    );
});

it('the page has an anchor for every row, each once, and every link leads to one', () => {
  const page = referencePage(reference);
  const anchors = [...page.matchAll(/ id="([^"]+)"/g)].map(([, anchor]) => anchor);
  expect(new Set(anchors).size).toBe(anchors.length);
  for (const [, target] of page.matchAll(/href="#([^"]+)"/g)) expect(anchors).toContain(target);
  for (const topic of referenceTopics)
    for (const { name } of rowsOf(topic)) expect(page).toContain(`<code>${name}</code></h3>`);
  expect(page).not.toMatch(/<script|https?:/);
});
