/** What users may change about a search that runs: they give it a point, or more configurations. */
import { AppError, type SearchPoint, StoredDefinition, type SweepDefinition } from '@funnel/contracts';
import { checkPoint as checkInSpace, prepare } from '@funnel/search';
import { decidedSearchOf } from './decided-search.ts';
import { searchOf } from './search-of.ts';

const nothingYet = { earlier: [], handPoints: [] };

/** The point with the values that the space leaves no choice of. Throws INVALID_REQUEST, below the path `point`. */
export const checkPoint = (definition: SweepDefinition, point: SearchPoint): SearchPoint =>
  checkInSpace(prepare(searchOf(definition, nothingYet)).axes, point);

/**
 * The definition, to be planned, with `more` configurations than the search has now. It names no earlier sweeps: the search has copies of their
 * outcomes, and the sweeps may be gone. Throws INVALID_REQUEST at `trials` if that is more than a search of this kind may have.
 */
export const extendedDefinition = (
  definition: StoredDefinition,
  { configurations, more }: { readonly configurations: number; readonly more: number },
): StoredDefinition => {
  const { from: _, ...decided } = decidedSearchOf(definition);
  const search = { ...decided, trials: configurations + more };
  const parsed = StoredDefinition.shape.search.safeParse(search);
  if (parsed.success) return { ...definition, search: parsed.data };
  const max = (parsed.error.issues[0] as { readonly maximum?: number }).maximum ?? configurations;
  const expected = `at most ${max - configurations} more trials, since ${search.strategy} has at most ${max} in all`;
  throw new AppError('INVALID_REQUEST', `Expected ${expected}, but got ${more}`, {
    issues: [{ path: 'trials', expected, received: String(more) }],
  });
};
