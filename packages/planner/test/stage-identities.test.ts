/** Identities of version 0.1.0 as constants. A change of an identity makes all results stored under it useless, so it must be intended. */
import { SweepDefinition } from '@funnel/contracts';
import { expect, it } from 'vitest';
import { outlineSweep } from '../src/index.ts';

/** Every stage of every recipe: recipe, kind, id. */
const identities = [
  ['funn', 'initialise', '2eaf6eb5801e3a35d8cfe57f24ce5d3bcf8b969099fa5760b9ee3456d0c5ab1c'],
  ['funn', 'optimise', '79788064a20f6324089d98449931d7e4aee6e0cce8d6a6a8ccb96c52eec6b0b0'],
  ['funn', 'classify', '4634f70aefffd75d48cc34caa6c094ea40735c0abe11bbc3b6d4c9563d805687'],
  ['funn', 'attack', '6510311f43dd35c665375807957a925b8b7eefb6e15b1e230bb16d57b6fc4dfc'],
  ['classic', 'initialise', '63ec7158a9cf5722ae4f5de23a43c086063d463279056f31617cd1bd9a58e96c'],
  ['classic', 'classify', '1e688ae9e85d963130e302d2cd66897ae8be0293894514a733a4888cdf91e120'],
  ['classic', 'attack', '1ad68c962cecdfb7ab8171f6880a779c1893f7b4760284a4a25467a95d5e1226'],
  ['adversarial-training', 'classify', 'e460c51df5cdd43928706bb1b6ebbb189defb2c3e5e1573952cc4e145b7b3b09'],
  ['adversarial-training', 'attack', '351db43ada71b93ac4593a25025eaa0c856e54df8f52ff8a6cd24033049a7495'],
  ['trades', 'classify', 'cf5b3f301e337e60c32ae8cc7a11a2c642a2a9a59c874adf7cb71281c37b24d3'],
  ['trades', 'attack', 'b81bbbc77a43a7787cb087cf9498c48de133bec961b1503c68d96a81c24aac22'],
  ['distillation', 'initialise', 'fb3864c29ad805c2e3a76c5c4c2b8f0ee8b28fec1f21292e659087cb59b6d05f'],
  ['distillation', 'classify', '6282ae890b0afc4f6e6b346b06421db85229c343f1e81e6875aff52315666076'],
  ['distillation', 'attack', '916d0acfbc6666f42c96327cc423a9b04cc8db08a0125fe17eb37ceacfa91574'],
  ['magnet', 'initialise', '229f20942cfef7c251510b1601249979c43e79353f9a04fe700b6df70e037985'],
  ['magnet', 'classify', '251bc80c4a1bc58b90c75ae5f1c267fcd277343775f81184c7b6dec8231bc62d'],
  ['magnet', 'attack', '7e161ccfe1e63ff7790c2e627218eb836c548bc4994499c750896d59471281c8'],
  ['detector', 'initialise', 'd5e1decf04ad4bc0357a517c734a173fdb9f28024b81f42c9aa06a3e98bad950'],
  ['detector', 'classify', '3c44b901fb62e4f692a01a4077971df0319737956bde6f816f800882ed496241'],
  ['detector', 'attack', '0411c2151d4aab410d016ef6e5bb02da0971c70416323883489888336d18f83f'],
] as const;

it('the stages of the recipes of version 0.1.0 have its identities', () => {
  const { stages } = outlineSweep(
    SweepDefinition.parse({
      name: 'identities',
      recipes: [...new Set(identities.map(([recipe]) => recipe))],
      dataset: { name: 'glyphs', train: 1000, test: 500, attack: 100 },
      space: {
        latent: 32,
        classifierRate: 0.0005,
        optimiseDefenderRate: 1e-7,
        trainingEpsilon: 0.1,
        tradesBeta: 6,
      },
      seeds: [7],
      attacks: ['fgsm'],
    }),
    '1',
  );
  expect(stages.map(({ recipe, kind, id }) => [recipe, kind, id])).toEqual(identities);
});
