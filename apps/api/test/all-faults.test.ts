/** A refused sweep names all of its mistakes at once, also those that only the database and the planner know. */
import { AppError, defaultLimits, type ProblemIssue, SweepDefinition } from '@funnel/contracts';
import { type Db, registerWorker } from '@funnel/db';
import { openTestDb } from '@funnel/db/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPlanning, type Planning } from '../src/planning/planning.ts';

let db: Db;
let planning: Planning;
beforeAll(async () => {
  db = await openTestDb();
  planning = createPlanning(db, { ...defaultLimits, trainerBytes: 3e8 });
});
afterAll(async () => {
  await planning.close();
  await db.close();
});

const refusalOf = async (asked: Promise<unknown>): Promise<AppError> => {
  const error = await asked.catch((fault: unknown) => fault);
  if (!(error instanceof AppError)) throw error ?? new Error('Expected a refusal, but got an answer');
  return error;
};

const read = (body: object): Promise<AppError> =>
  refusalOf(
    planning.read({ route: 'planSweep', body: { format: 'json', bytes: Buffer.from(JSON.stringify(body)) } }),
  );
const pathsOf = ({ details }: AppError): readonly string[] =>
  (details.issues as readonly ProblemIssue[]).map(({ path }) => path);

const absent = {
  path: 'dataset.name',
  expected: expect.stringMatching(/^one of .*glyphs/),
  received: '"nowhere"',
};
const sweep = { name: 'x', recipes: 'plain', dataset: { name: 'nowhere', train: 100 }, attacks: ['fgsm'] };

test('a mistake of the schema comes with an absent data set', async () => {
  const refusal = await read({ ...sweep, space: { classifierEpochs: 'three' } });
  expect(refusal).toMatchObject({
    code: 'INVALID_REQUEST',
    message:
      'In the body, space.classifierEpochs: expected a whole number, a list or an object, but got "three" (and 1 more)',
    details: { issues: [{ path: 'space.classifierEpochs' }, absent] },
  });
});

test('a mistake of the schema comes with the rules of the planner for the other parts', async () => {
  const space = { classifierEpochs: 'three', classifierRate: { min: 0.1, max: 0.2 } };
  const continuous = await read({ ...sweep, space });
  expect(pathsOf(continuous)).toEqual(['space.classifierEpochs', 'dataset.name', 'space.classifierRate']);
  const dataset = { name: 'glyphs', train: 100 };
  const huge = await read({ ...sweep, dataset, priority: 'high', space: { latent: 4096 } });
  expect(pathsOf(huge)).toEqual(['priority', 'space.latent']);
});

test('parts with a mistake get no other, and hide no rule that depends on them', async () => {
  const search = { strategy: 'random', trials: 'many' };
  const space = { classifierRate: { min: 0.1, max: 0.2 } };
  expect(pathsOf(await read({ ...sweep, space, search }))).toEqual(['search.trials', 'dataset.name']);
  expect(pathsOf(await read({ ...sweep, dataset: { name: 3 } }))).toEqual(['dataset.name']);
  expect(pathsOf(await read({ ...sweep, dataset: { name: 'nowhere', train: -1 } }))).toEqual([
    'dataset.train',
    'dataset.name',
  ]);
});

test('a sweep that the planner refuses for its size comes with an absent data set', async () => {
  const definition = SweepDefinition.parse({ ...sweep, space: { classifierRate: { min: 0.1, max: 0.2 } } });
  const refusal = await refusalOf(planning.plan({ definition, engineVersion: 'e' }));
  expect(refusal).toMatchObject({ details: { issues: [{ path: 'space.classifierRate' }, absent] } });
});

test('names that nobody knows come together', async () => {
  const search = { strategy: 'tpe', trials: 8, from: ['nobody'] };
  const definition = SweepDefinition.parse({ ...sweep, search, space: { latent: [8, 16] } });
  const refusal = await refusalOf(planning.plan({ definition, engineVersion: 'e' }));
  expect(pathsOf(refusal).map((path) => path.replace(/\[.*/, ''))).toEqual(['search.from', 'dataset.name']);
});

test('a built-in data set that nobody has comes with the rules of the planner', async () => {
  const worker = { host: 'h', pid: 1, version: '0', backend: 'b', device: 'd', slots: 1 };
  const abilities = { engineVersion: null, trainerBytes: null, datasets: [] };
  await registerWorker(db, { id: 'without', ...worker, abilities });
  const dataset = { name: 'mnist', train: 100 };
  const definition = SweepDefinition.parse({ ...sweep, dataset, space: { latent: 4096 } });
  const refusal = await refusalOf(planning.plan({ definition, engineVersion: 'e' }));
  expect(pathsOf(refusal)).toEqual(['dataset.name', 'space.latent']);
});

test('one mistake stays as it was', async () => {
  const definition = SweepDefinition.parse(sweep);
  const refusal = await refusalOf(planning.plan({ definition, engineVersion: 'e' }));
  expect(refusal).toMatchObject({ code: 'DATASET_UNKNOWN', details: { issues: [absent] } });
});
