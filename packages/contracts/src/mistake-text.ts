/** The mistakes of a sweep file or a command, in the same words on the terminal and on the pages. */
import type { ProblemIssue } from './errors.ts';
import { plural } from './text.ts';

/** `sweep.yaml has 2 mistakes:`, to stand above them. */
export const mistakesTitle = (file: string, count: number): string =>
  `${file} has ${count === 1 ? 'a mistake' : plural(count, 'mistake')}:`;

/** `line 4, space.lr: expected …, got …`. `where`: what stands before the path, such as `line 4, `. */
export const mistakeText = ({ path, expected, received }: ProblemIssue, where = ''): string =>
  `${where}${path || '(all)'}: expected ${expected}, got ${received}`;
