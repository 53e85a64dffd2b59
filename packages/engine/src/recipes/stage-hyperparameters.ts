/** Which hyperparameters a stage of a recipe may read, as types: reading one that it does not declare does not compile. */
import {
  type HyperparameterName,
  type Hyperparameters,
  hyperparameters,
  type Recipe,
  type RecipeName,
  recipes,
  type StageSpec,
} from '@funnel/contracts';
import { z } from 'zod';

type Declared<R extends RecipeName> = (typeof recipes)[R]['stages'][number];

/** The kinds of training stage that a recipe has. */
export type KindsOf<R extends RecipeName> = Declared<R>['kind'];

/** The hyperparameters that the stage of kind `K` of recipe `R` declares to read. */
export type StageHyperparameters<R extends RecipeName, K extends KindsOf<R>> = Pick<
  Hyperparameters,
  Extract<Declared<R>, { kind: K }>['reads'][number]
>;

/** The hyperparameters of a stage, checked. Throws where one is missing, out of range, or not among those that the stage declares. */
export const readHyperparameters = (spec: StageSpec): Partial<Hyperparameters> => {
  const stages: Recipe['stages'] = recipes[spec.recipe].stages;
  const declared = stages.find((stage) => stage.kind === spec.kind);
  if (declared === undefined)
    throw new Error(`Expected a stage of recipe ${spec.recipe}, but got ${spec.kind}`);
  const reads: readonly HyperparameterName[] = declared.reads;
  const required = Object.fromEntries(reads.map((name) => [name, hyperparameters[name].unwrap()]));
  return z.strictObject(required).parse(spec.hyperparameters) as Partial<Hyperparameters>; // the keys are `reads`
};
