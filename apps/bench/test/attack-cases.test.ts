import { attackSpec } from '@funnel/contracts';
import { expect, test } from 'vitest';
import { attackCaseNames, attackCases } from '../src/attack-cases.ts';

test('every case is an attack that exists, under a name of its own, with at least one anchor', () => {
  expect(new Set(attackCaseNames).size).toBe(attackCases.length);
  for (const { attack, foolbox18, foolbox3 } of attackCases) {
    expect(attackSpec(attack).attack).toBe(attack.attack);
    expect(foolbox18 ?? foolbox3).not.toBe(null);
  }
});

test('passes are counted by hand: nine class gradients per DeepFool step, none for an attack that sees only classes', () => {
  const spent = { steps: 4, queries: 5 };
  const passesOf = (name: string) =>
    attackCases.find((attackCase) => attackCase.name === name)!.passes(spent);
  expect(passesOf('DeepFool L2')).toEqual({ forward: 5, backward: 36 });
  expect(passesOf('PGD Linf')).toEqual({ forward: 5, backward: 4 });
  expect(passesOf('FGSM search')).toEqual({ forward: 5, backward: 1 });
  expect(passesOf('Single Pixel')).toEqual({ forward: 5, backward: 0 });
});
