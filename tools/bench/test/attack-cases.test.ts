import { attackSpec } from '@funnel/contracts';
import { expect, test } from 'vitest';
import { attackCaseNames, attackCases, meets } from '../src/attack-cases.ts';

test('every case is an existing attack with a unique name and a time of Foolbox', () => {
  expect(new Set(attackCaseNames).size).toBe(attackCases.length);
  for (const { attack, foolbox18, foolbox3 } of attackCases) {
    expect(attackSpec(attack).attack).toBe(attack.attack);
    expect(foolbox18 ?? foolbox3).not.toBe(null);
  }
});

test('passes agree with a count by hand: nine class gradients per DeepFool step, none for an attack without gradients', () => {
  const spent = { steps: 4, queries: 5 };
  const passesOf = (name: string) =>
    attackCases.find((attackCase) => attackCase.name === name)!.passes(spent);
  expect(passesOf('DeepFool L2')).toEqual({ forward: 5, backward: 36 });
  expect(passesOf('PGD Linf')).toEqual({ forward: 5, backward: 4 });
  expect(passesOf('FGSM search')).toEqual({ forward: 5, backward: 1 });
  expect(passesOf('Single Pixel')).toEqual({ forward: 5, backward: 0 });
});

test('a target is met only where it is met for every tool that it names', () => {
  const anchors = { foolbox18: 0.1, foolbox3: 0.02 };
  expect(meets({ foolbox18: 10, foolbox3: 1 }, anchors, 0.01)).toBe(true);
  expect(meets({ foolbox18: 10, foolbox3: 1 }, anchors, 0.011)).toBe(false);
  expect(meets({ foolbox3: 3 }, anchors, 0.01)).toBe(false);
  expect(meets({ foolbox18: 1 }, { foolbox18: null, foolbox3: null }, 0.01)).toBe(false);
});
