/** What a tree cannot show: a transfer attack stands on one classifier, and makes its images on others. */
import { formatCount } from '../../format.ts';
import type { Colours } from '../colours.ts';
import { rectOf, type TreeView } from './draw.ts';
import type { TreeNode } from './layout.ts';

/** From a classifier to an attack whose images are made on it. */
type SurrogateEdge = { readonly from: TreeNode; readonly to: TreeNode };

export const surrogateEdges = (nodes: readonly TreeNode[]): SurrogateEdge[] => {
  const byId = new Map(nodes.map((node) => [node.stage.id, node]));
  return nodes.flatMap((to) =>
    to.stage.surrogates.flatMap((id) => {
      const from = byId.get(id);
      return from ? [{ from, to }] : [];
    }),
  );
};

/** Beyond so many lines one sees none of them. */
const maxEdges = 48;

const touches =
  (id: string | null) =>
  ({ from, to }: SurrogateEdge): boolean =>
    id !== null && (from.stage.id === id || to.stage.id === id);

/** All of them where they can be told apart; of many, those of the stage that one looks at. */
export const edgesOnShow = (
  edges: readonly SurrogateEdge[],
  looked: readonly (string | null)[],
): { readonly plain: readonly SurrogateEdge[]; readonly marked: readonly SurrogateEdge[] } => {
  const marked = edges.filter((edge) => looked.some((id) => touches(id)(edge)));
  return { plain: edges.length <= maxEdges ? edges.filter((edge) => !marked.includes(edge)) : [], marked };
};

const count = (n: number, what: string): string => `${formatCount(n)} ${what}${n === 1 ? '' : 's'}`;

/** For a tip: on how many classifiers its images are made, or how many attacks use it so. */
export const surrogateTip = (edges: readonly SurrogateEdge[], { stage }: TreeNode): string => {
  const on = edges.filter(({ to }) => to.stage.id === stage.id).length;
  const by = edges.filter(({ from }) => from.stage.id === stage.id).length;
  if (on > 0) return `\nmade on ${count(on, 'other classifier')}`;
  return by > 0 ? `\n${count(by, 'transfer attack')} of others ${by === 1 ? 'is' : 'are'} made on it` : '';
};

const arrow = 5;

/** An arc through the classifiers' column, whose right half is free of text; it ends at the attack's left edge. */
const trace = (context: CanvasRenderingContext2D, { from, to }: SurrogateEdge, view: TreeView): void => {
  const [source, target] = [rectOf(from, view), rectOf(to, view)];
  const [x0, x1] = [source.x + source.width - 4, target.x];
  const [y0, y1] = [source.y + source.height / 2, target.y + target.height / 2];
  const bulge = Math.min(source.width / 3, 18 + 0.25 * Math.abs(y1 - y0));
  context.beginPath();
  context.moveTo(x0, y0);
  context.bezierCurveTo(x0 - bulge, y0, x1 - bulge, y1, x1, y1);
  context.stroke();
  context.setLineDash([]);
  context.beginPath();
  context.arc(x0, y0, 2.5, 0, 2 * Math.PI);
  context.moveTo(x1 + arrow, y1);
  context.lineTo(x1 - 1, y1 - arrow + 1);
  context.lineTo(x1 - 1, y1 + arrow - 1);
  context.fill();
};

export const drawEdges = (
  context: CanvasRenderingContext2D,
  { plain, marked }: ReturnType<typeof edgesOnShow>,
  view: TreeView,
  colours: Colours,
): void => {
  const draw = (edges: readonly SurrogateEdge[], tone: string, width: number): void => {
    context.strokeStyle = tone;
    context.fillStyle = tone;
    context.lineWidth = width;
    for (const edge of edges) {
      context.setLineDash([4, 3]);
      trace(context, edge, view);
    }
  };
  draw(plain, colours.muted, 1);
  draw(marked, colours.text, 1.75);
};
