/**
 * Identities: the hash of everything that can change a result, and of nothing else. Two trials that agree on it share the work,
 * whoever submitted them and when.
 */
import { createHash } from 'node:crypto';
import {
  type AttackRun,
  attacks,
  canonicalJson,
  datasets,
  recipes,
  type StageSpec,
  type TrialPoint,
} from '@funnel/contracts';

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const hash = (value: unknown): string => sha256(canonicalJson(value));

/** A point without its seed: seeds are averaged over it. */
export const configurationId = ({ recipe, hyperparameters }: TrialPoint): string =>
  hash({ recipe, hyperparameters });

const attackIdentity = (run: AttackRun) => ({ ...run, version: attacks[run.attack].version });

/**
 * The chain of a stage: all of it but its length. The subset sizes in `dataset` are those that this kind reads (see `outline.ts`), and
 * knobs of earlier stages arrive through `parent`.
 */
export const chainId = (stage: Omit<StageSpec, 'id' | 'chain' | 'epochs'>, engineVersion: string): string =>
  hash({
    engine: engineVersion,
    recipe: stage.recipe,
    version: recipes[stage.recipe].version,
    kind: stage.kind,
    dataset: { ...stage.dataset, digest: datasets[stage.dataset.name].digest },
    hyperparameters: stage.hyperparameters,
    seed: stage.seed,
    parent: stage.parent,
    attack: stage.attack && attackIdentity(stage.attack),
    // Left out where there are none: what has none is what it was before there were any.
    surrogates: stage.surrogates.length > 0 ? stage.surrogates : undefined,
  });

/** A stage is a point on its chain. */
export const stageId = (chain: string, epochs: number): string => hash({ chain, epochs });
