/** Finds the stages of a sweep that the database has from an older version of Funnel, so that a plan can say why they are made anew. */
import { type NeededStage, StageKind, type VersionChange } from '@funnel/contracts';
import { type Db, statusesOf } from '@funnel/db';
import { idsOfVersions, type Outline, type VersionedId } from '@funnel/planner';

/** Looks at the first training stages of a larger sweep only, in the order of its trials, and at as many attacks. */
const maxStages = 20_000;

/** The identities under which the database has a stage, newest first, by the present identity. */
type Stored = Map<string, readonly string[]>;

/**
 * The stage once for each stored identity of its parent. Below a parent of an older version, surrogates are of an older version too. The
 * database never has a stage without its parent, so there is nothing to look for below a parent that it does not have.
 */
const variantsOf = (stage: NeededStage, stored: Stored): readonly NeededStage[] => {
  if (stage.parent === null) return [stage];
  return (stored.get(stage.parent) ?? []).map((parent) =>
    parent === stage.parent
      ? stage
      : { ...stage, parent, surrogates: stage.surrogates.map((id) => stored.get(id)?.at(-1) ?? id).sort() },
  );
};

/** What changed since the database got the stages that a new version makes anew, each change once. */
export const findMadeAnew = async (
  db: Db,
  outline: Pick<Outline, 'training' | 'classifiers' | 'attacksOn'>,
  engineVersion: string,
): Promise<VersionChange[]> => {
  const training = outline.training.slice(0, maxStages);
  const stored: Stored = new Map();
  const found = new Map<string, VersionChange>();
  const ofKindIn = (kind: StageKind): readonly NeededStage[] => {
    if (kind !== 'attack') return training.filter((stage) => stage.kind === kind);
    const classifiers = outline.classifiers.filter(({ id }) => (stored.get(id)?.length ?? 0) > 0);
    return classifiers.slice(0, maxStages).flatMap(outline.attacksOn).slice(0, maxStages);
  };
  // Parents come before children.
  for (const kind of StageKind.options) {
    const ofKind = ofKindIn(kind);
    const possible = ofKind.filter(({ parent }) => parent === null || stored.get(parent)?.includes(parent));
    const present = await statusesOf(
      db,
      possible.map(({ id }) => id),
    );
    for (const id of present.keys()) stored.set(id, [id]);
    const candidates = new Map<string, readonly VersionedId[]>();
    for (const stage of ofKind)
      if (!present.has(stage.id))
        candidates.set(
          stage.id,
          variantsOf(stage, stored).flatMap((variant) => idsOfVersions(variant, engineVersion)),
        );
    const ids = [...candidates.values()].flat().map(({ id }) => id);
    const statuses = await statusesOf(db, ids);
    for (const [id, versions] of candidates) {
      const had = versions.filter((candidate) => statuses.get(candidate.id) === 'completed');
      stored.set(
        id,
        had.map((candidate) => candidate.id),
      );
      for (const change of had[0]?.changes ?? []) found.set(JSON.stringify(change), change);
    }
  }
  return [...found.values()];
};
