import {
  hyperparameterDeclaration,
  hyperparameterNames,
  isNumeric,
  recipeNames,
  SweepDefinition,
  type Worker,
} from '@funnel/contracts';
import { describe, expect, it } from 'vitest';
import { draftInput, emptyDraft } from '../../src/views/new-sweep/draft.ts';
import { sizeAdvice } from '../../src/views/new-sweep/sizes.ts';
import { templateDraft, templates } from '../../src/views/new-sweep/templates.ts';
import { usualRange } from '../../src/views/new-sweep/usual-range.ts';
import { createWorld } from '../fake-api/world.ts';

describe('the usual range', () => {
  it('lies within the bounds of every hyperparameter, and its ends differ', () => {
    for (const name of hyperparameterNames) {
      const declared = hyperparameterDeclaration(name);
      if (!isNumeric(declared)) continue;
      const { min, max } = usualRange(declared);
      const space = { [name]: { min, max, scale: declared.scale } };
      expect(min, name).toBeLessThan(max);
      const parsed = SweepDefinition.safeParse({
        ...{
          name,
          dataset: { name: 'glyphs' },
          recipes: recipeNames,
          space,
          search: { strategy: 'random', trials: 3 },
        },
      });
      expect(parsed.error?.issues ?? [], name).toEqual([]);
    }
  });
});

describe('a template', () => {
  it.each(templates)('$title plans trials, and the form reads it back', (template) => {
    const definition = SweepDefinition.parse(draftInput(templateDraft(template)));
    expect(definition).toEqual(SweepDefinition.parse(template.input));
    const { plan } = createWorld().addSweep(template.input);
    expect(plan.trials).toBeGreaterThan(0);
    expect(plan.trials).toBeLessThanOrEqual(20);
  });
});

describe('the advice on sizes', () => {
  const worker = (backend: string): Worker =>
    ({
      ...{ id: 'w', host: 'here', pid: 1, version: '0', backend, device: 'cpu', slots: 2, status: 'online' },
      ...{ startedAt: '', heartbeatAt: '', memoryBytes: 1, trainerBytes: null, running: [], refusals: [] },
      ...{ schema: null, engineVersion: null, datasets: null, setAside: null },
    }) as unknown as Worker;
  const large = emptyDraft.dataset;

  it('says how long all images take, when the fleet has measured it', () => {
    expect(sizeAdvice(large, 7200, [])).toBe(
      '60,000 training images and 1,000 attacked ones take about 2 h on this fleet.',
    );
    expect(sizeAdvice(large, 600, [worker('wasm')])).toBeNull();
  });

  it('warns of all images without a GPU, when nothing is measured', () => {
    expect(sizeAdvice(large, null, [worker('wasm')])).toBe(
      '60,000 training images and 1,000 attacked ones take hours on 2 slots without a GPU.',
    );
    expect(sizeAdvice(large, null, [worker('wasm'), worker('cuda')])).toBeNull();
    expect(sizeAdvice({ ...large, train: '2000', attack: '200' }, null, [worker('wasm')])).toBeNull();
  });
});
