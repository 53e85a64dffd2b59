/** The findings about a model, with the option that mends it. */
import { AppError, examinationFinding } from '@funnel/contracts';
import { expect, it } from 'vitest';
import { describeFinding } from '../src/attack/examination.ts';
import { explain } from '../src/exit.ts';

const detail = '68 % of the 100 images are classified correctly, and 98 % otherwise.';

it('a probable range of pixels comes with the option to type', () => {
  const options = { bounds: [-1, 1] as [number, number] };
  expect(
    describeFinding(examinationFinding('accuracy', 'perhaps-other-pixel-range', detail, { options })),
  ).toBe(`! accuracy: ${detail} → --bounds -1,1`);
});

it('several ranges that fit leave the choice to the user', () => {
  for (const [code, mark] of [
    ['perhaps-other-pixel-range', '!'],
    ['other-pixel-range', '✗'],
  ] as const)
    expect(describeFinding(examinationFinding('accuracy', code, detail))).toBe(
      `${mark} accuracy: ${detail} → --bounds LOW,HIGH`,
    );
});

it('options of the library are flags', () => {
  const finding = examinationFinding(
    'outputs',
    'probabilities',
    'Give `fromProbabilities`, or check `bounds`.',
    {
      options: { fromProbabilities: true },
    },
  );
  expect(describeFinding(finding)).toBe(
    '✗ outputs: Give --from-probabilities, or check --bounds. → --from-probabilities',
  );
  const refused = explain(new AppError('ATTACK_INPUT', 'Leave `fromProbabilities` out, and `toString` in.'));
  expect(refused).toEqual({ text: 'Leave --from-probabilities out, and `toString` in.', status: 2 });
});
