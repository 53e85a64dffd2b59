/** The networks of a checkpoint by name, as the recipes call them, and what a person calls them. */
import { type Recipe, recipes, type Stage } from '@funnel/contracts';

export const networkTitles = {
  'attacker-encoder': 'Attacker’s encoder',
  'attacker-generator': 'Attacker’s generator',
  'defender-encoder': 'Defender’s encoder',
  'defender-generator': 'Defender’s generator',
  head: 'Classifier on the codes',
  classifier: 'Encoder and classifier in one',
  teacher: 'Teacher',
  reformer: 'Reformer: auto-encoder I',
  'second-reformer': 'Auto-encoder II',
  detector: 'Detector, from the image',
  'detector-head': 'Detector on the first feature map',
} as const;

export type NetworkName = keyof typeof networkTitles;

/** What the checkpoint of a stage holds, as its recipe declares. */
export const networksOf = ({ recipe, kind }: Pick<Stage, 'recipe' | 'kind'>): readonly NetworkName[] => {
  const stages: Recipe['stages'] = recipes[recipe].stages;
  return (stages.find((stage) => stage.kind === kind)?.networks ?? []) as readonly NetworkName[]; // a test holds the two together
};

/** Where the networks of a trained trial are: its classifier's checkpoint, and that of the auto-encoder that it stands on. */
export type ModelPlace = { readonly classifier: string; readonly autoEncoder: string | null };

/** Null until the classifier is trained. */
export const modelPlaceOf = (stages: readonly Stage[]): ModelPlace | null => {
  const last = (wanted: (stage: Stage) => boolean) =>
    stages.findLast((stage) => stage.checkpoint !== null && wanted(stage))?.checkpoint ?? null;
  const classifier = last(({ kind }) => kind === 'classify');
  return classifier === null
    ? null
    : { classifier, autoEncoder: last((stage) => networksOf(stage).includes('defender-generator')) };
};

/** Where `tf.loadLayersModel` finds a network, from the server's root. */
export const modelPath = (checkpoint: string, network: NetworkName): string =>
  `/v1/checkpoints/${checkpoint}/${network}/model.json`;
export const weightsPath = (checkpoint: string, network: NetworkName): string =>
  `/v1/checkpoints/${checkpoint}/${network}/weights.bin`;
