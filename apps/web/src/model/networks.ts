/** The networks of a checkpoint by name, as the recipes call them, and what a person calls them. */
import type { Stage } from '@funnel/contracts';

export const networkTitles = {
  'attacker-encoder': 'Attacker’s encoder',
  'attacker-generator': 'Attacker’s generator',
  'defender-encoder': 'Defender’s encoder',
  'defender-generator': 'Defender’s generator',
  head: 'Classifier on the defender’s encoder',
} as const;

export type NetworkName = keyof typeof networkTitles;

const autoEncoder: readonly NetworkName[] = ['defender-encoder', 'defender-generator'];
const attacker: readonly NetworkName[] = ['attacker-encoder', 'attacker-generator'];

/** What the checkpoint of a stage holds: frozen networks are named in it too. */
export const networksOf = ({ recipe, kind }: Stage): readonly NetworkName[] => {
  if (kind === 'attack') return [];
  const trained = recipe === 'classic' || kind === 'classify' ? autoEncoder : [...autoEncoder, ...attacker];
  return kind === 'classify' ? [...trained, 'head'] : trained;
};

/** Where `tf.loadLayersModel` finds a network, from the server's root. */
export const modelPath = (checkpoint: string, network: NetworkName): string =>
  `/v1/checkpoints/${checkpoint}/${network}/model.json`;
export const weightsPath = (checkpoint: string, network: NetworkName): string =>
  `/v1/checkpoints/${checkpoint}/${network}/weights.bin`;
