import type { Diagnostic } from '@funnel/contracts';
import { expect, it } from 'vitest';
import { raisedFlags } from '../../src/statistics/flags.ts';

const check = (id: Diagnostic['id'], verdict: Diagnostic['verdict'], detail: string): Diagnostic => ({
  ...{ id, verdict, detail, value: 1, threshold: 0 },
});

it('lists a flag that several attacks raise alike once, with their names', () => {
  const shared = check('H10', 'masked', 'Every gradient is zero.');
  const evaluations = [
    { attack: 'fgsm', settings: { epsilon: 0.1, search: false }, diagnostics: [shared] },
    {
      attack: 'deepfool-l2',
      settings: { steps: 50 },
      diagnostics: [{ ...shared }, check('H7', 'suspect', 'More steps help.'), check('H1', 'ok', 'Fine.')],
    },
  ] satisfies Parameters<typeof raisedFlags>[0];
  const flags = raisedFlags(evaluations);
  expect(flags.map((flag) => flag.check.detail)).toEqual(['Every gradient is zero.', 'More steps help.']);
  expect(flags[0]!.attacks).toEqual([expect.stringMatching(/^FGSM/), expect.stringMatching(/^DeepFool L2/)]);
  expect(flags[1]!.attacks).toEqual([expect.stringMatching(/^DeepFool L2/)]);
});
