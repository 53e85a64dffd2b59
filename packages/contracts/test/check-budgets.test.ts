import { expect, it } from 'vitest';
import { attackSpec, checkBudgets } from '../src/index.ts';

const usual = { linf: 0.3, l2: 2 };
const pgd = (epsilon: number) => attackSpec({ attack: 'pgd-linf', epsilon });

it('checks attack at the largest fixed L∞ ε of the attacks, if images fall there at all', () => {
  expect(checkBudgets([pgd(0.05), pgd(0.1)], usual)).toEqual({ linf: 0.1, l2: 2 });
  expect(checkBudgets([pgd(0.5)], usual)).toEqual({ linf: 0.5, l2: 2 });
  expect(checkBudgets([pgd(0.03)], usual)).toEqual({ linf: 0.03, l2: 2 });
  const others = [pgd(0.029), attackSpec({ attack: 'pgd-l2', epsilon: 1 }), attackSpec('deepfool-linf')];
  expect(checkBudgets(others, usual)).toBe(usual);
});
