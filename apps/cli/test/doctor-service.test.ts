/** What `funnel doctor` says about a running service. */
import { type Client, FunnelError } from '@funnel/client';
import {
  type DatasetEntry,
  defaultLimits,
  type LimitName,
  type LimitState,
  limitNames,
  limits,
} from '@funnel/contracts';
import { expect, it } from 'vitest';
import { examineService } from '../src/doctor-service.ts';

const entry = (more: Partial<DatasetEntry>): DatasetEntry => ({
  ...{ name: 'pets', title: 'pets', digest: 'ab'.repeat(32), shape: [4, 6, 3], classCount: 3 },
  ...{ train: 1200, test: 300, budgets: { linf: 0.1, l2: 1 }, isBuiltIn: false, isStored: true },
  ...{ workers: 0, bytes: 108_300, owner: 'ann', createdAt: '2026-11-20T10:00:00Z' },
  ...more,
});

const stateOf = (name: LimitName, more: Partial<LimitState> = {}): LimitState => {
  const { unit, variable, text, default: standard } = limits[name];
  const value = standard ?? (defaultLimits as Partial<Record<LimitName, number>>)[name] ?? 1;
  return { name, value, unit, variable, text, used: null, ...more };
};

const serviceOf = (
  items: readonly DatasetEntry[],
  states: Partial<Record<LimitName, Partial<LimitState>>> = {},
): Pick<Client, 'listDatasets' | 'listLimits'> => ({
  listDatasets: async () => ({ items: [...items], unfinished: [] }),
  listLimits: async () => ({ items: limitNames.map((name) => stateOf(name, states[name])) }),
});

it('lists the data sets that are stored or that users have added', async () => {
  const mnist = entry({ name: 'mnist', isBuiltIn: true, isStored: false, bytes: null });
  const findings = await examineService(() => serviceOf([mnist, { ...mnist, name: 'glyphs' }, entry({})]));
  expect(findings).toEqual([
    { what: 'Stored data: pets', verdict: 'ok', detail: '1,200 + 300 images, 106 KiB' },
    { what: 'Limits', verdict: 'ok', detail: `${limitNames.length}, explained in docs/operations.md` },
  ]);
});

it('names the limits that an operator has changed, and those that are nearly used up', async () => {
  const findings = await examineService(() =>
    serviceOf([], {
      datasetBytes: { value: 1e9 },
      ownSweeps: { used: 80 },
      ownPlans: { used: 1 },
    }),
  );
  expect(findings.slice(1)).toEqual([
    {
      ...{ what: 'Limit: FUNNEL_MAX_SWEEPS_PER_TOKEN', verdict: 'note' },
      detail: '100: sweeps of one client that are running or paused; you use 80',
      hint: 'An operator can raise FUNNEL_MAX_SWEEPS_PER_TOKEN.',
    },
    {
      ...{ what: 'Limit: FUNNEL_MAX_DATASET_BYTES', verdict: 'ok' },
      detail: '954 MiB instead of 4 GiB: one data set in canonical form',
    },
  ]);
});

it('finds no fault where no service runs', async () => {
  const service = {
    ...serviceOf([]),
    listDatasets: async () => {
      throw new FunnelError(
        {
          ...{ type: '/errors/UNAVAILABLE', title: 'x', status: 503, code: 'UNAVAILABLE', hint: '' },
          detail: 'http://127.0.0.1:7070 does not answer',
        },
        { answered: false },
      );
    },
  };
  expect(await examineService(() => service)).toEqual([
    {
      ...{ what: 'Service', verdict: 'note', detail: 'http://127.0.0.1:7070 does not answer' },
      hint: '`npm start` starts one.',
    },
  ]);
});
