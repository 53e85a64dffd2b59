import { expect, it } from 'vitest';
import { layoutStages } from '../../src/charts/stage-tree/layout.ts';
import { edgesOnShow, surrogateEdges, surrogateTip } from '../../src/charts/stage-tree/surrogates.ts';
import { createWorld } from '../fake-api/world.ts';

const nodesOf = (seeds: number) =>
  layoutStages([
    ...createWorld()
      .addSweep({ name: 'x', dataset: { name: 'glyphs' }, seeds, attacks: ['fgsm', 'transfer-linf'] })
      .stages.values(),
  ]);

it('every transfer attack has an edge from each of its surrogates, and says so', () => {
  const nodes = nodesOf(4);
  const edges = surrogateEdges(nodes);
  expect(edges).toHaveLength(4 * 3);
  for (const { from, to } of edges) {
    expect(from.stage.kind).toBe('classify');
    expect(to.stage.attack?.attack).toBe('transfer-linf');
    expect(to.parent).not.toBe(from);
  }
  expect(surrogateTip(edges, edges[0]!.to)).toBe('\nmade on 3 other classifiers');
  const tips = nodes
    .filter(({ stage }) => stage.kind === 'classify')
    .map((node) => surrogateTip(edges, node));
  expect(tips).toContain('\n3 transfer attacks of others are made on it');
  expect(surrogateTip(edges, nodes[0]!)).toBe('');
});

it('of many only those of the stage that one looks at are drawn', () => {
  const few = surrogateEdges(nodesOf(4));
  const own = few.filter(({ to }) => to === few[0]!.to);
  const shown = edgesOnShow(few, [few[0]!.to.stage.id, null]);
  expect(shown.marked).toEqual(own);
  expect(shown.plain).toHaveLength(few.length - own.length);

  const many = surrogateEdges(nodesOf(30));
  expect(edgesOnShow(many, [null])).toEqual({ plain: [], marked: [] });
  expect(edgesOnShow(many, [many[0]!.to.stage.id])).toMatchObject({ plain: [], marked: [{}, {}, {}] });
});
