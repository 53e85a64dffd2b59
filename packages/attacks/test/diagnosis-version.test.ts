/** The findings of all checks on one small network, beside the version that is part of every evaluation's identity. */
import { checksText, diagnosisVersion, saysNothing } from '@funnel/contracts';
import { beforeAll, expect, it } from 'vitest';
import { diagnose } from '../src/index.ts';
import { tinyImages, tinyNetwork, useWasm } from './helpers/tiny.ts';

beforeAll(useWasm);

it('the findings belong to this diagnosisVersion: raise it when a finding below changes', async () => {
  const { model, dispose } = tinyNetwork(1);
  const { checks } = await diagnose({
    model,
    ...tinyImages(model, 20),
    budgets: { linf: 0.1, l2: 0.5 },
    control: model,
    resources: { surrogates: [model] },
  });
  const findings = checks.map(
    ({ id, value, threshold, verdict }) => `${id} ${value?.toFixed(2)} ${threshold} ${verdict}`,
  );
  expect({ diagnosisVersion, findings }).toMatchInlineSnapshot(`
    {
      "diagnosisVersion": 2,
      "findings": [
        "H1 0.00 0.005 ok",
        "H2 0.00 0.002 ok",
        "H3 0.00 0 ok",
        "H4 0.00 0 ok",
        "H5 0.00 1 ok",
        "H6 0.00 0 ok",
        "H7 0.00 0.050000001 ok",
        "H8 0.05 0.050000001 ok",
        "H9 0.00 0 ok",
        "H10 0.00 0 ok",
        "H11 0.00 0.0001 ok",
        "H12 0.00 0 ok",
        "H13 0.00 0.05 ok",
        "H14 0.01 0.1 ok",
        "H15 0.00 1 ok",
        "H16 0.00 0.1 ok",
        "H17 0.00 0 ok",
        "H18 0.20 0.5 ok",
        "H19 0.87 0.3 ok",
        "H20 1.00 0.3 ok",
        "H21 0.95 0.95 ok",
        "H22 0.00 1 ok",
      ],
    }
  `);
  dispose();
});

it('where PGD fools every image, the checks that look for an image which it misses say so', async () => {
  const { model, dispose } = tinyNetwork(1);
  const { checks } = await diagnose({ model, ...tinyImages(model, 20), budgets: { linf: 0.5, l2: 0.5 } });
  const silent = checks.filter(saysNothing);
  expect(silent.map(({ id }) => id)).toEqual(['H1', 'H2', 'H7', 'H8', 'H9', 'H16', 'H22']);
  for (const { verdict, value, detail } of silent) {
    expect([verdict, value]).toEqual(['ok', 0]);
    expect(detail).toBe('PGD fools all 20 images at L∞ 0.5, so this check says nothing here.');
  }
  expect(checksText(checks)).toBe(
    '12 checks without a flag; 7 say nothing (H1, H2, H7, H8, H9, H16, H22): PGD fools all 20 images at L∞ 0.5.',
  );
  dispose();
});
