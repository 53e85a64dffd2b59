import { type ClassifierModel, classifierModel } from '@funnel/attacks';
import { AppError, type DatasetName, datasets } from '@funnel/contracts';
import { loadModel } from './load-model.ts';

const product = (shape: readonly number[]): number => shape.reduce((values, size) => values * size, 1);

/**
 * The model of a folder as a classifier of a data set's images. One that leaves its image size open takes the data set's; one that takes
 * images as flat rows is given them so. Throws ATTACK_INPUT where their sizes differ.
 */
export const loadClassifier = async (folder: string, dataset: DatasetName): Promise<ClassifierModel> => {
  const model = await loadModel(folder);
  const { shape, title } = datasets[dataset];
  const [input, ...others] = model.inputs;
  const declared = input?.shape?.slice(1) ?? [];
  const isOpen = declared.length !== 1 && declared.some((size) => !(size !== null && size > 0));
  const classifier = classifierModel(model, isOpen && others.length === 0 ? { shape } : {});
  if (product(classifier.shape) !== product(shape))
    throw new AppError(
      'ATTACK_INPUT',
      `Expected a model of images [${shape.join(', ')}], as ${title} has them, but this one takes [${classifier.shape.join(', ')}]`,
    );
  return classifier;
};
