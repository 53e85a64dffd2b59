/** Images of any shape go through everything that a worker does: training, every attack, the checks, the gallery. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  AttackSpec,
  attackNames,
  attacks,
  type DatasetContent,
  engineVersion,
  reachOf,
  SweepDefinition,
  storedDefinition,
  usualBudgets,
} from '@funnel/contracts';
import { cacheFolder, canonicalPieces, memorySplit } from '@funnel/engine';
import { outlineSweep } from '@funnel/planner';
import { expect, it, onTestFinished } from 'vitest';
import { shortAttacks } from '../../../packages/attacks/test/helpers/short-attacks.ts';
import type { Surrogate } from '../src/messages.ts';
import { createStageRunner } from '../src/run-stage.ts';

const counts = { train: 240, test: 12 };
const attacked = 4;
const classes = ['dark', 'middle', 'light'];

/** Noisy images that are dark, middle or light: in the cache of a new FUNNEL_HOME. */
const store = (shape: DatasetContent['shape']) => {
  const splitOf = (count: number) => {
    const size = shape[0] * shape[1] * shape[2];
    const noise = (p: number): number => (Math.imul(p + 1, 2654435761) >>> 26) - 32;
    const images = Uint8Array.from(
      { length: count * size },
      (_, p) => 64 + 64 * (Math.floor(p / size) % 3) + noise(p),
    );
    return memorySplit(
      shape,
      images,
      Array.from({ length: count }, (_, i) => i % 3),
    );
  };
  const splits = { train: splitOf(counts.train), test: splitOf(counts.test) };
  const bytes = Buffer.concat([...canonicalPieces({ shape, classes }, splits)]);
  const digest = createHash('sha256').update(bytes).digest('hex');
  const home = mkdtempSync(path.join(tmpdir(), 'funnel-shapes-'));
  onTestFinished(() => rmSync(home, { recursive: true }));
  mkdirSync(cacheFolder({ home }), { recursive: true });
  writeFileSync(path.join(cacheFolder({ home }), `${digest}.bin`), bytes);
  return { home, content: { shape, classes, ...counts, digest, budgets: usualBudgets(shape) } };
};

it.each([
  [30, 45, 1],
  [32, 32, 3],
  [64, 64, 3],
] as [number, number, number][])(
  '%i×%i×%i',
  async (...shape) => {
    const { home, content } = store(shape);
    const { run } = await createStageRunner({ folders: { home }, backend: 'wasm', simulation: null });
    const definition = SweepDefinition.parse({
      name: 'shapes',
      recipes: 'classic',
      dataset: { name: 'shades', attack: attacked },
      space: {
        ...{ filters: '4-6', latent: 8, classifierUnits: 8, batchSize: 16 },
        ...{ initialiseEpochs: 2, classifierEpochs: 12, classifierRate: 1e-2 },
      },
      attacks: ['fgsm'],
    });
    const { stages } = outlineSweep(storedDefinition(definition, content), engineVersion);
    let last: Surrogate | null = null;
    const hooks = {
      signal: new AbortController().signal,
      onCheckpoint: async ({ manifest, blobs }: Surrogate) => {
        last = { manifest, blobs: new Map([...(last?.blobs ?? []), ...blobs]) };
      },
      onProgress: () => {},
    };
    const startOf = () =>
      (last as Surrogate | null) && { ...(last as unknown as Surrogate), sameChain: false };
    for (const spec of stages.filter(({ kind }) => kind !== 'attack'))
      expect(await run({ spec, start: startOf(), surrogates: [] }, hooks)).toMatchObject({
        status: 'completed',
      });

    const template = stages.find(({ kind }) => kind === 'attack')!;
    for (const name of attackNames) {
      const attack = AttackSpec.parse(shortAttacks[name]);
      const spec = { ...template, attack };
      const surrogates = name.startsWith('transfer') ? [last as unknown as Surrogate] : [];
      const ended = await run({ spec, start: startOf(), surrogates }, hooks);
      if (ended.status !== 'completed') throw new Error(`${name}: ${JSON.stringify(ended)}`);
      const { summary, records, gallery, diagnostics } = ended.evaluation!;
      expect(summary.images).toBe(attacked);
      expect(summary.cleanAccuracy).toBeGreaterThan(0.5);
      expect(gallery).toMatchObject({ shape, index: [0, 1, 2, 3] });
      expect(gallery.attacked.length).toBe(attacked * shape[0] * shape[1] * shape[2]);
      expect(diagnostics.length).toBeGreaterThan(5);
      const { epsilon } = attack.settings as { epsilon?: number };
      for (const [row, success] of records.success.entries()) {
        if (!success) continue;
        expect(records.l2[row]).toBeGreaterThan(0);
        expect(records.l0[row]).toBeLessThanOrEqual(shape[0] * shape[1]);
        const distance = name.endsWith('linf') ? records.linf[row]! : records.l2[row]!;
        if (epsilon !== undefined && attacks[name].family === 'fixed' && /l2$|linf$/.test(name))
          expect(distance).toBeLessThanOrEqual(reachOf(epsilon));
      }
    }
  },
  600_000,
);
