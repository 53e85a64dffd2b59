import { createHash } from 'node:crypto';
import type { StageSpec } from '@funnel/contracts';
import type { Checkpoint, StageStart } from '../src/messages.ts';

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A training stage that needs no database. */
export const trainingSpec = (change: Partial<StageSpec> = {}): StageSpec => ({
  id: hash('stage'),
  chain: hash('chain'),
  kind: 'initialise',
  recipe: 'funn',
  hyperparameters: {},
  seed: 0,
  dataset: { name: 'glyphs', train: 128, test: 10, attack: 10 },
  epochs: 3,
  parent: null,
  attack: null,
  surrogates: [],
  ...change,
});

export const continueFrom = ({ manifest, blobs }: Checkpoint): StageStart => ({
  manifest,
  blobs,
  sameChain: true,
});
