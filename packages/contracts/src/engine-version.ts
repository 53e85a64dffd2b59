/**
 * The version of the engine's arithmetic. It is part of the identity of every training stage, so a new version means that every stage is
 * trained anew and that old results stay beside the new ones.
 *
 * Raise it when the same inputs give other bits on wasm or cpu:
 * - another architecture or other initial weights for the same hyperparameters,
 * - another random stream, or other numbers drawn from one,
 * - another order of summation in a kernel or a loss.
 *
 * Do not raise it for a new recipe, hyperparameter, data set or backend: these have identities of their own. Do not raise it either for a
 * change that keeps all bits. In `packages/engine/test`, `same-bits.test.ts` and `recipes/every-recipe.test.ts` check that a stage gives the same bits again.
 */
export const engineVersion = '1';
