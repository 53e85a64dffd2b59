/** The baseline without a defence: encoder and classifier trained together on clean images. */
import { cleanMeasures, correctOf } from '../batches.ts';
import type { StageHyperparameters, StageRecipe } from '../training/stage.ts';
import { plainStep, trainableClassifier } from './classify.ts';

export const classify: StageRecipe<StageHyperparameters<'plain', 'classify'>> = async (setup) => {
  const { train, test, classes } = setup;
  const { classifier, networks, adam } = trainableClassifier(setup);
  const testSplit = await test();

  return {
    networks,
    frozen: {},
    optimisers: { classifier: adam },
    step: plainStep(classifier, adam, train, classes),
    afterEpoch: async () => cleanMeasures(await correctOf(classifier.apply, testSplit), testSplit, classes),
  };
};
