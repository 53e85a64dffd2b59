import { beforeAll, expect, it } from 'vitest';
import { openBackend } from '../../src/backends/open-backend.ts';
import { run, specOf } from '../stages.ts';

beforeAll(async () => void (await openBackend('cpu')));

it('trains the same bits as adversarial training within a ball of radius 0', async () => {
  const blobsOf = ({ last: { manifest } }: Awaited<ReturnType<typeof run>>) =>
    Object.entries(manifest.networks).map(([name, { blob }]) => [name, blob]);
  const [plain, unperturbed] = [
    await run(specOf('plain', 'classify', 2)),
    await run(specOf('adversarial-training', 'classify', 2, { trainingEpsilon: 0, warmupEpochs: 0 })),
  ];
  expect(blobsOf(plain)).toEqual(blobsOf(unperturbed));
  expect(plain.metrics.map((metrics) => metrics?.trainAccuracy)).toEqual(
    unperturbed.metrics.map((metrics) => metrics?.attackedAccuracy),
  );
});
