/** Trials chosen to be looked at closely: at most six, one colour each, in the address of the page. */
import { useQueryValue } from '../../router.ts';
import { type Objective, type Result, ranked } from './objective.ts';

export const maxChosen = 6;

/** The three best, and the best of a recipe that is not among them: what one compares first. Without results, the first that run. */
export const firstChoice = (results: readonly Result[], { direction }: Objective): number[] => {
  const best = ranked(
    results.filter(({ value }) => value !== null),
    direction,
  );
  if (best.length === 0) {
    const begun = results.filter(({ trial }) => trial.status !== 'waiting');
    return (begun.length > 0 ? begun : results).slice(0, 3).map(({ trial }) => trial.number);
  }
  const top = best.slice(0, 3);
  const other = best.find(({ trial }) => top.every((chosen) => chosen.trial.recipe !== trial.recipe));
  return [...top, ...(other ? [other] : [])].map(({ trial }) => trial.number);
};

export type Chosen = {
  /** Trial numbers, in the order of their colours. */
  readonly numbers: readonly number[];
  readonly toggle: (number: number) => void;
  /** True: nobody has chosen yet, the page has. */
  readonly byDefault: boolean;
  readonly reset: () => void;
};

export const useChosen = (results: readonly Result[], objective: Objective): Chosen => {
  const [text, setText] = useQueryValue('trials');
  const numbers =
    text === undefined
      ? firstChoice(results, objective)
      : text
          .split('.')
          .filter((part) => part !== '')
          .map(Number);
  const toggle = (number: number) => {
    const next = numbers.includes(number)
      ? numbers.filter((n) => n !== number)
      : [...numbers, number].slice(-maxChosen);
    setText(next.length === 0 ? '.' : next.join('.'));
  };
  return { numbers, toggle, byDefault: text === undefined, reset: () => setText(undefined) };
};
