/** Files of all formats have the same values as the API's answers. */
import { parquetMetadata, parquetReadObjects, parquetSchema } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import { classColumns, evaluationColumns } from '../src/export/columns.ts';
import { fillTable, formats, type Table, tableRows } from '../src/export/formats.ts';
import { evaluatedRows, tables } from '../src/export/tables.ts';

const rows = [
  {
    name: 'γ, "quoted"\nand broken',
    epoch: 1,
    loss: 0.1 + 0.2,
    masked: true,
    at: '2026-11-22T14:00:00.123Z',
  },
  { name: null, epoch: 2_147_483_647, loss: null, masked: null, at: null },
  { name: '', epoch: -1, loss: 5e-324, masked: false, at: '1970-01-01T00:00:00.000Z' },
] as const;
const table: Table = fillTable<(typeof rows)[number]>(
  [
    { name: 'name', type: 'string', value: ({ name }) => name },
    { name: 'epoch', type: 'integer', value: ({ epoch }) => epoch },
    { name: 'loss', type: 'number', value: ({ loss }) => loss },
    { name: 'masked', type: 'boolean', value: ({ masked }) => masked },
    { name: 'at', type: 'time', value: ({ at }) => at },
  ],
  rows,
);

const bufferOf = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer;

describe('formats', () => {
  it('Parquet keeps every value, its type, and missing values', async () => {
    const file = bufferOf(formats.parquet(table));
    const schema = parquetSchema(parquetMetadata(file)).children.map(({ element }) => element);
    expect(schema.map(({ name, type }) => [name, type])).toEqual([
      ['name', 'BYTE_ARRAY'],
      ['epoch', 'INT32'],
      ['loss', 'DOUBLE'],
      ['masked', 'BOOLEAN'],
      ['at', 'INT64'],
    ]);
    expect(schema[0]?.converted_type).toBe('UTF8');
    expect(await parquetReadObjects({ file })).toEqual(
      rows.map((row) => ({ ...row, at: row.at === null ? null : new Date(row.at) })),
    );
  });

  it('JSON and CSV have the same values, and CSV has its titles even without rows', () => {
    expect(JSON.parse(formats.json(table))).toEqual(rows);
    expect(formats.csv(table)).toBe(
      'name,epoch,loss,masked,at\r\n"γ, ""quoted""\nand broken",1,0.30000000000000004,true,2026-11-22T14:00:00.123Z\r\n,2147483647,,,\r\n,-1,5e-324,false,1970-01-01T00:00:00.000Z\r\n',
    );
    const none = table.map((column) => ({ ...column, cells: [] }));
    expect(formats.csv(none)).toBe('name,epoch,loss,masked,at\r\n');
    expect(tableRows(none)).toEqual([]);
  });

  it('Parquet without rows still has its columns, and many rows come in several groups', async () => {
    const none = bufferOf(formats.parquet(table.map((column) => ({ ...column, cells: [] }))));
    expect(parquetSchema(parquetMetadata(none)).children).toHaveLength(5);
    expect(await parquetReadObjects({ file: none })).toEqual([]);
    const cells = Array.from({ length: 5000 }, (_, i) => (i % 7 === 0 ? null : i / 3));
    const file = bufferOf(formats.parquet([{ name: 'value', type: 'number', cells }]));
    expect(parquetMetadata(file).row_groups.length).toBeGreaterThan(1);
    expect((await parquetReadObjects({ file })).map(({ value }) => value)).toEqual(cells);
  });
});

describe('the rows of trials', () => {
  const evaluation = (stage: string | undefined, attack = 'fgsm') => ({ stage, attack }) as never;
  const trial = (id: string, evaluations: readonly never[]) =>
    ({ id, sweepId: id.slice(0, 1), tags: [], hyperparameters: {}, evaluations }) as never;

  it('an evaluation that an earlier trial has too names this trial, so that nothing counts twice', () => {
    const found = evaluatedRows([
      trial('a-0', [evaluation('s1'), evaluation('s2', 'pgd-linf')]),
      trial('a-1', [evaluation('s3')]),
      trial('b-0', [evaluation('s1'), evaluation('s4', 'pgd-linf')]),
      trial('c-0', [evaluation('s1'), evaluation(undefined)]),
    ]);
    expect(found.map(({ id, evaluation: { stage }, sameAs }) => [id, stage, sameAs])).toEqual([
      ['a-0', 's1', null],
      ['a-0', 's2', null],
      ['a-1', 's3', null],
      ['b-0', 's1', 'a-0'],
      ['b-0', 's4', null],
      ['c-0', 's1', 'a-0'],
      ['c-0', undefined, null],
    ]);
    const columns = evaluationColumns.filter(({ name }) => ['stage', 'sameAs', 'attack'].includes(name));
    expect(columns.map(({ value }) => value(found[3]!))).toEqual(['s1', 'a-0', 'fgsm']);
  });

  /** A service with one sweep of one trial under one attack on `images` images. */
  const serviceOf = (images: number) => {
    const summary = { images };
    const item = {
      ...{ id: 'a-0', sweepId: 'a', recipe: 'funn', seed: 7, hyperparameters: { gamma: 2 } },
      evaluations: [{ stage: 's1', attack: 'fgsm', settings: { epsilon: 0.1 }, summary }],
    };
    const records = {
      ...{ index: [0, 1], label: [5, 0], correct: [true, false], predicted: [3, 6], success: [true, false] },
      ...{ l2: [0.5, null], linf: [0.1, null], l0: [17, null], steps: [1, 0], queries: [2, 1] },
      ...{ perClass: {}, gallery: {} },
    };
    return {
      listSweeps: async () => ({ items: [{ id: 'a', tags: ['x'] }], next: null }),
      listTrials: async () => ({ items: [item], next: null }),
      getImages: async () => records,
    } as never;
  };

  it('each attacked image has a row', async () => {
    const seen: unknown[] = [];
    const [first, second, ...others] = tableRows(
      await tables.images(serviceOf(2), {}, (at) => seen.push(at)),
    );
    expect(seen).toEqual([{ done: 1, total: 1 }]);
    expect(others).toEqual([]);
    expect(first).toMatchObject({
      ...{
        trialId: 'a-0',
        stage: 's1',
        attack: 'fgsm',
        settings: '{"epsilon":0.1}',
        tags: 'x',
        gamma: 2,
        seed: 7,
      },
      ...{ index: 0, label: 5, correct: true, predicted: 3, success: true },
      ...{ l2: 0.5, linf: 0.1, l0: 17, steps: 1, queries: 2 },
    });
    expect(second).toMatchObject({ index: 1, correct: false, success: false, l2: null, l0: null });
  });

  it('too many attacked images are refused before any is read', async () => {
    await expect(tables.images(serviceOf(250_001))).rejects.toThrow(
      'Expected at most 250,000 attacked images, but these sweeps have 250,001: choose one with --sweep, or some by --tag',
    );
  });

  it('a distance has its interval in two columns', () => {
    const row = {
      evaluation: {
        summary: { medianL2: 0.5, medianLinf: 'Infinity', noiseLevel: null, robustInterval: [0.1, 0.3] },
        intervals: { medianL2: [0.4, 'Infinity'], medianLinf: ['Infinity', 'Infinity'], noiseLevel: null },
      },
    } as never;
    const found = evaluationColumns.flatMap(({ name, value }) =>
      /^(median|noiseLevel|robustInterval)/.test(name) ? [[name, value(row) ?? null]] : [],
    );
    expect(Object.fromEntries(found)).toEqual({
      ...{ robustIntervalLow: 0.1, robustIntervalHigh: 0.3 },
      ...{ noiseLevel: null, noiseLevelLow: null, noiseLevelHigh: null, noiseLevelAll: null },
      ...{ medianL2: 0.5, medianL2Low: 0.4, medianL2High: 'Infinity' },
      ...{ medianLinf: 'Infinity', medianLinfLow: 'Infinity', medianLinfHigh: 'Infinity' },
      ...{ medianL0: null, medianL2Success: null },
    });
  });

  it('an attack that looks for the smallest change has its robust accuracy at ε', () => {
    const valuesOf = (evaluation: object) =>
      evaluationColumns
        .filter(({ name }) => /^robust(AccuracyAt)?Epsilon$/.test(name))
        .map(({ value }) => value({ evaluation: { summary: {}, ...evaluation } } as never) ?? null);
    const robustAtEpsilon = { norm: 'linf', epsilon: 0.3, robust: 15, accuracy: 0.375 };
    expect(valuesOf({ robustAtEpsilon })).toEqual([0.375, 0.3]);
    expect(valuesOf({})).toEqual([null, null]);
  });

  it('the accuracy of a class has its Wilson interval, and an empty class has none', () => {
    const valuesOf = (counts: { images: number; correct: number }) =>
      classColumns
        .filter(({ name }) => name.startsWith('accuracy'))
        .map(({ value }) => value(counts as never) ?? null);
    const [accuracy, low, high] = valuesOf({ images: 10, correct: 8 }) as number[];
    expect(accuracy).toBe(0.8);
    expect(low).toBeCloseTo(0.4902, 4);
    expect(high).toBeCloseTo(0.9433, 4);
    expect(valuesOf({ images: 0, correct: 0 })).toEqual([null, null, null]);
  });
});
