/** The CPU time of one proposal after so many trials. The decisions are those of a random search, so that none depends on the strategy. */
import { type Decision, nextDue, type StrategyName, simulateSearch, strategies } from '@funnel/search';
import { type SearchProblem, searchProblems } from './search-problems.ts';
import { searchOf } from './search-quality.ts';
import { median } from './timing.ts';

export const timedCounts = [10, 100, 200, 1000];
const warmUps = 3;
const proposals = 15;

const decisionsOf = ({ space, values }: SearchProblem, trials: number): readonly Decision[] =>
  simulateSearch(searchOf(space, 'random', 0, 1), trials, ({ point }) => ({
    status: 'measured',
    utilities: values(point).map((value) => -value),
  }));

/** Milliseconds of user and system time. Numbers with the strategies that handle nothing else; else also a category and whole numbers. */
export const measureTime = (strategy: StrategyName, trials: number) => {
  const problem = strategies[strategy].handlesCategories ? searchProblems.mixed : searchProblems.sparse10;
  const decisions = decisionsOf(problem, trials);
  const times = Array.from({ length: warmUps + proposals }, (_, seed) => {
    const start = process.cpuUsage();
    nextDue(searchOf(problem.space, strategy, seed, 1), decisions, trials + 1);
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1000;
  }).slice(warmUps);
  return { strategy, trials, median: median(times), max: Math.max(...times) };
};
