/** By which column the table of trials is sorted, and in which direction. */
import type { Objective } from '../../statistics/objective.ts';
import type { Column } from './trial-columns.tsx';

type Ranked = Pick<Objective, 'attack' | 'metric' | 'direction'>;

type Sort = { readonly key: string; readonly descending: boolean };

/** A click on the header of a column, and the objective that the page had then. */
export type Click = Sort & { readonly objective: Ranked };

/** The column of the objective, best first. */
const bestFirst = ({ metric, direction }: Ranked): Sort => ({
  key: metric === 'cleanAccuracy' ? 'clean' : 'value',
  descending: direction === 'max',
});

/** A click on the values counts only for the objective that it was about: those of another one begin with its best. */
export const sortOf = (click: Click | null, objective: Ranked): Sort => {
  const best = bestFirst(objective);
  if (click === null) return best;
  const isOfAnother =
    click.objective.attack !== objective.attack || click.objective.metric !== objective.metric;
  return isOfAnother && (click.key === 'value' || click.key === best.key) ? best : click;
};

/** The first click on a column sorts numbers in descending order, texts in ascending order, and the objective best first. The next one reverses. */
export const clickOn = (
  { key, number }: Pick<Column, 'key' | 'number'>,
  sort: Sort,
  objective: Ranked,
): Click => {
  const best = bestFirst(objective);
  const first = key === best.key ? best.descending : number === true;
  return { key, descending: sort.key === key ? !sort.descending : first, objective };
};
