/**
 * Finds out which versions made a stage. The database does not store them, but the identity of a stage proves them: few versions are
 * possible, and only the right ones give its hash.
 */
import type { StageSpec, VersionChange } from '@funnel/contracts';
import { chainId, presentVersions, stageId, type Versions } from './identity.ts';

/** `n`, `n − 1`, … 1; a version that is no number has no predecessors. */
const downFrom = (version: string): readonly string[] =>
  /^[1-9]\d?$/.test(version)
    ? Array.from({ length: Number(version) }, (_, i) => String(Number(version) - i))
    : [version];

const numbersDownFrom = (version: number): readonly number[] => downFrom(String(version)).map(Number);
const orNull = (version: number | null): readonly (number | null)[] =>
  version === null ? [null] : numbersDownFrom(version);

/** All versions up to the present ones, newest first. */
const versionsUpTo = (present: Versions): readonly Versions[] =>
  downFrom(present.engine).flatMap((engine) =>
    numbersDownFrom(present.recipe).flatMap((recipe) =>
      orNull(present.attack).flatMap((attack) =>
        orNull(present.checks).map((checks): Versions => ({ engine, recipe, attack, checks })),
      ),
    ),
  );

const parts = ['engine', 'recipe', 'attack', 'checks'] as const satisfies readonly (keyof Versions)[];

type Stage = Omit<StageSpec, 'id' | 'chain' | 'epochs'>;

/** The versions that differ. `made`: null if no known version made the stage. */
const changesBetween = (
  { kind, recipe, attack }: Stage,
  made: Versions | null,
  now: Versions,
): VersionChange[] => {
  const stage = { kind, method: attack?.attack ?? recipe };
  if (made === null) return [{ ...stage, part: 'unknown', made: null, now: null }];
  return parts
    .filter((part) => made[part] !== now[part])
    .map((part) => ({ ...stage, part, made: String(made[part]), now: String(now[part]) }));
};

/** What another version did differently in a stored stage. Empty if the present version would make the same stage from its parent. */
export const versionChanges = (stage: StageSpec, engineVersion: string): readonly VersionChange[] => {
  const now = presentVersions(stage, engineVersion);
  const made = versionsUpTo(now).find((versions) => chainId(stage, versions) === stage.chain);
  return changesBetween(stage, made ?? null, now);
};

/** An identity that a stage has or had, and what changed since. */
export type VersionedId = { readonly id: string; readonly changes: readonly VersionChange[] };

/** The identities of a stage with this parent and these surrogates in the present version and all earlier ones, newest first. */
export const idsOfVersions = (
  stage: Omit<StageSpec, 'id' | 'chain'>,
  engineVersion: string,
): readonly VersionedId[] => {
  const now = presentVersions(stage, engineVersion);
  return versionsUpTo(now).map((versions) => ({
    id: stageId(chainId(stage, versions), stage.epochs),
    changes: changesBetween(stage, versions, now),
  }));
};
