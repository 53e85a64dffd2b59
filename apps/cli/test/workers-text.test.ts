import type { Worker } from '@funnel/contracts';
import { expect, it } from 'vitest';
import { describeWorkerLog, describeWorkers } from '../src/output/service.ts';

const worker: Worker = {
  id: 'lab-3',
  host: 'lab',
  pid: 1,
  version: '0.1.0',
  schema: '0011_abilities',
  backend: 'wasm',
  device: 'cpu',
  slots: 2,
  status: 'online',
  startedAt: '2026-11-29T09:00:00.000Z',
  heartbeatAt: '2026-11-29T09:00:00.000Z',
  memoryBytes: 5e8,
  engineVersion: '1',
  trainerBytes: 2e9,
  datasets: [{ name: 'glyphs', images: 60_000 }],
  setAside: null,
  refusals: [],
  running: [],
};
const now = Date.parse(worker.heartbeatAt) + 9000;
const refusal = (kind: 'initialise' | 'attack', method: string) => ({
  ...{ kind, method, dataset: 'mnist', lack: 'data' as const },
  reason: 'there is no folder mnist',
  at: '2026-11-29T09:05:00.000Z',
});

it('a worker without faults is one row, with its memory and its data sets', () => {
  const [head, row, ...rest] = describeWorkers([worker], now).split('\n');
  expect(head).toMatch(/per trainer +data +since$/);
  expect(row).toMatch(/^lab-3 +lab +online .* 1.86 GiB +glyphs +2026-11-29/);
  expect(rest).toEqual([]);
});

it('says why a worker gets no stages, and the command that restores it', () => {
  const text = describeWorkers([
    {
      ...worker,
      setAside: { since: '2026-11-29T09:12:00.000Z', failures: 3, probeAt: '2026-11-29T09:17:00.000Z' },
      refusals: [
        refusal('initialise', 'funn'),
        refusal('initialise', 'classic'),
        refusal('attack', 'fgsm'),
        refusal('attack', 'deepfool-l2'),
      ],
    },
  ]);
  expect(text).toMatch(/^lab-3 +lab +set aside/m);
  expect(text).toMatch(/^✗ lab-3 is set aside since .*: it failed 3 times in a row/m);
  expect(text).toContain(
    '· lab-3 handed back initialise stages of funn on mnist, initialise stages of classic on mnist, the attack fgsm on mnist and 1 more: there is no folder mnist',
  );
  expect(text).toMatch(/^→ `npx funnel workers restore lab-3`/m);
  expect(
    describeWorkers([{ ...worker, status: 'gone', refusals: [refusal('attack', 'fgsm')] }]),
  ).not.toContain('✗');
});

it('the log of a worker names the stage of each line', () => {
  const line = {
    ...{ at: '2026-11-29T09:05:07.000Z', attempt: 2, stage: 'abcdef0123456789', kind: 'attack' as const },
    ...{ level: 'info' as const, message: 'began on lab-3', detail: null },
  };
  expect(
    describeWorkerLog([
      line,
      { ...line, level: 'error', message: 'ended: failed, TRAINER_DIED: SIGKILL', detail: 'Error: it fell' },
    ]).split('\n'),
  ).toEqual([
    expect.stringMatching(/^ {2}.*05:07 {2}attack abcdef01, attempt 2 began on lab-3$/),
    expect.stringMatching(/^✗ .*05:07 {2}attack abcdef01, attempt 2 ended: failed, TRAINER_DIED: SIGKILL$/),
    '      Error: it fell',
  ]);
  expect(describeWorkerLog([])).toBe('It has run nothing yet.');
});

it('says how long an online worker has been silent, before the service notices that it has ended', () => {
  const late = Date.parse(worker.heartbeatAt) + 25_000;
  expect(describeWorkers([worker], late)).toMatch(/^lab-3 +lab +online, silent for 25 s /m);
  expect(describeWorkers([{ ...worker, status: 'gone' }], late)).toMatch(/^lab-3 +lab +gone /m);
});
