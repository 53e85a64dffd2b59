import { describe, expect, it } from 'vitest';
import { surrogateEdges, surrogateTip, visibleEdges } from '../../src/charts/stage-tree/draw.ts';
import { kindsOf, layoutStages, varyingHyperparameters } from '../../src/charts/stage-tree/layout.ts';
import { createWorld } from '../fake-api/world.ts';

const stagesOf = () => {
  const world = createWorld();
  const sweep = world.addSweep({
    name: 'x',
    dataset: { name: 'glyphs', attack: 100 },
    recipes: ['funn', 'classic'],
    space: { gamma: [1, 5], optimiseEpochs: [11, 31] },
    seeds: 2,
  });
  return [...sweep.stages.values()];
};

describe('the stage tree', () => {
  it('shows every stage once, parents before children', () => {
    const stages = stagesOf();
    const nodes = layoutStages(stages);
    expect(new Set(nodes.map(({ stage }) => stage.id))).toEqual(new Set(stages.map(({ id }) => id)));
    const seen = new Set<string>();
    for (const { stage, parent } of nodes) {
      if (parent) expect(seen.has(parent.stage.id)).toBe(true);
      expect(parent?.stage.id ?? null).toBe(stage.parent);
      seen.add(stage.id);
    }
  });

  it('gives a stage the height of its children, without gaps or overlaps', () => {
    for (const node of layoutStages(stagesOf())) {
      if (node.children.length === 0) continue;
      const ends = [node.y0, ...node.children.map(({ y1 }) => y1)];
      for (const [i, child] of node.children.entries()) expect(child.y0).toBeCloseTo(ends[i]!, 12);
      expect(ends.at(-1)).toBeCloseTo(node.y1, 12);
    }
  });

  it('fills two columns for a recipe without an optimisation', () => {
    const classic = layoutStages(stagesOf()).find(
      ({ stage }) => stage.recipe === 'classic' && stage.kind === 'initialise',
    );
    expect(classic).toMatchObject({ column: 0, span: 2 });
  });

  it('has a column for each kind of stage that the recipes have, and no other', () => {
    const stages = stagesOf();
    expect(kindsOf(stages)).toEqual(['initialise', 'optimise', 'classify', 'attack']);
    const world = createWorld();
    const dataset = { name: 'glyphs', attack: 100 } as const;
    const plain = world.addSweep({ name: 'x', dataset, recipes: ['plain'], attacks: ['fgsm'] });
    const own = [...plain.stages.values()];
    expect(kindsOf(own)).toEqual(['classify', 'attack']);
    expect(layoutStages(own).map(({ stage, column, span }) => [stage.kind, column, span])).toEqual([
      ['classify', 0, 1],
      ['attack', 1, 1],
    ]);
  });

  it('works while pages are still loading', () => {
    const some = stagesOf().filter(({ kind }) => kind !== 'initialise');
    expect(layoutStages(some).filter(({ parent }) => parent === null).length).toBeGreaterThan(1);
  });

  it('labels stages by the hyperparameters that differ', () => {
    expect(varyingHyperparameters(stagesOf()).get('optimise')).toEqual(['gamma', 'seed', 'epochs']);
  });
});

const nodesOf = (seeds: number) =>
  layoutStages([
    ...createWorld()
      .addSweep({ name: 'x', dataset: { name: 'glyphs' }, seeds, attacks: ['fgsm', 'transfer-linf'] })
      .stages.values(),
  ]);

it('every transfer attack has an edge from each of its surrogates and a tooltip about them', () => {
  const nodes = nodesOf(4);
  const edges = surrogateEdges(nodes);
  expect(edges).toHaveLength(4 * 3);
  for (const { from, to } of edges) {
    expect(from.stage.kind).toBe('classify');
    expect(to.stage.attack?.attack).toBe('transfer-linf');
    expect(to.parent).not.toBe(from);
  }
  expect(surrogateTip(edges, edges[0]!.to)).toBe('\nmakes its images on 3 other classifiers');
  const tips = nodes
    .filter(({ stage }) => stage.kind === 'classify')
    .map((node) => surrogateTip(edges, node));
  expect(tips).toContain('\nsurrogate of 3 transfer attacks');
  expect(surrogateTip(edges, nodes[0]!)).toBe('');
});

it('if there are many edges, only those of the active stage are drawn', () => {
  const few = surrogateEdges(nodesOf(4));
  const own = few.filter(({ to }) => to === few[0]!.to);
  const shown = visibleEdges(few, [few[0]!.to.stage.id, null]);
  expect(shown.marked).toEqual(own);
  expect(shown.plain).toHaveLength(few.length - own.length);

  const many = surrogateEdges(nodesOf(30));
  expect(visibleEdges(many, [null])).toEqual({ plain: [], marked: [] });
  expect(visibleEdges(many, [many[0]!.to.stage.id])).toMatchObject({ plain: [], marked: [{}, {}, {}] });
});
