import { plural } from '../../format.ts';
import type { Colours } from '../../theme.ts';
import { stageLabel, type TreeNode } from './layout.ts';

export type TreeView = {
  readonly width: number;
  readonly height: number;
  /** The visible part of the tree, as shares of its height. */
  readonly from: number;
  readonly to: number;
  /** The number of columns. */
  readonly columns: number;
};

const gap = 3;

const rectOf = (node: TreeNode, view: TreeView) => {
  const column = (view.width + gap) / view.columns;
  const scale = view.height / (view.to - view.from);
  return {
    x: node.column * column,
    y: (node.y0 - view.from) * scale,
    width: node.span * column - gap,
    height: (node.y1 - node.y0) * scale,
    /** Exactly the `y` of the next node; `y + height` can differ by rounding. */
    bottom: (node.y1 - view.from) * scale,
  };
};

/** Too thin for a label. Thin siblings are drawn as one block with their number. */
const isThin = (height: number): boolean => height < 13;

/** Writes `5 attacks` on the block of thin children. */
const labelBlock = (
  context: CanvasRenderingContext2D,
  node: TreeNode,
  view: TreeView,
  colours: Colours,
): void => {
  const [first, last] = [node.children[0], node.children.at(-1)];
  if (!first || !last || node.children.length < 2) return;
  const { x, y, width, height } = rectOf(first, view);
  const { bottom } = rectOf(last, view);
  if (!isThin(height) || bottom - y < 14) return;
  const middle = Math.max(y + 7, Math.min(bottom - 7, (Math.max(0, y) + Math.min(view.height, bottom)) / 2));
  const text = plural(node.children.length, first.stage.kind === 'attack' ? 'attack' : 'stage');
  context.fillStyle = colours.text;
  context.fillText(clip(context, text, width - 16), x + 10, middle);
};

const clip = (context: CanvasRenderingContext2D, text: string, width: number): string => {
  if (context.measureText(text).width <= width) return text;
  const letters = Math.floor((text.length * width) / context.measureText(text).width) - 1;
  return letters < 3 ? '' : `${text.slice(0, letters)}…`;
};

export const drawTree = (
  context: CanvasRenderingContext2D,
  nodes: readonly TreeNode[],
  view: TreeView,
  picture: {
    readonly varying: ReadonlyMap<string, readonly string[]>;
    readonly selected: string | null;
    readonly hovered: string | null;
  },
  colours: Colours,
): void => {
  context.clearRect(0, 0, view.width, view.height);
  context.textBaseline = 'middle';
  context.font = `11.5px ${colours.font}`;
  for (const node of nodes) {
    const { x, y, width, height, bottom } = rectOf(node, view);
    if (y > view.height || bottom < 0) continue;
    const { stage } = node;
    const tone = colours.status(stage.status);
    const siblings = node.parent?.children;
    // The stages of a block lie on whole pixels without gaps. Otherwise the block would look striped.
    const inBlock = isThin(height) && height * (siblings?.length ?? 1) >= 14;
    const isLast = siblings === undefined || siblings.at(-1) === node;
    const gapBelow = inBlock ? (isLast ? 1 : 0) : height > 5 ? 1 : 0;
    const top = inBlock ? Math.round(y) : y;
    const tall = (inBlock ? Math.round(bottom) - top : height) - gapBelow;
    context.fillStyle = tone;
    context.globalAlpha = isThin(height) && !inBlock ? 0.7 : 0.24;
    context.fillRect(x, top, width, tall);
    if (stage.status === 'running' && stage.position !== null && stage.epochs > 0) {
      context.globalAlpha = 0.35;
      context.fillRect(x, top, (width * stage.position.epoch) / stage.epochs, tall);
    }
    context.globalAlpha = 1;
    if (!isThin(height) || inBlock) context.fillRect(x, top, 3, tall);
    if (height >= 14) {
      const middle = Math.min(
        Math.max(y + height / 2, Math.min(12, y + height - 8)),
        Math.max(view.height - 12, y + 8),
      );
      context.fillStyle = colours.text;
      const second = height >= 40 && stage.sharedBy > 1;
      const label = stageLabel(stage, picture.varying.get(stage.kind) ?? []);
      context.fillText(clip(context, label, width - 16), x + 10, second ? middle - 8 : middle);
      if (second) {
        context.fillStyle = colours.muted;
        context.fillText(
          clip(context, `shared by ${plural(stage.sharedBy, 'trial')}`, width - 16),
          x + 10,
          middle + 9,
        );
      }
    }
    if (node.parent && isLast) labelBlock(context, node.parent, view, colours);
    if (stage.id === picture.selected || stage.id === picture.hovered) {
      context.strokeStyle = stage.id === picture.selected ? colours.text : colours.muted;
      context.lineWidth = 1.5;
      context.strokeRect(x + 0.75, y + 0.75, width - 1.5, Math.max(2, tall - 1.5));
    }
  }
};

/** The node at a point; null between nodes. */
export const nodeAt = (nodes: readonly TreeNode[], view: TreeView, px: number, py: number): TreeNode | null =>
  nodes.find((node) => {
    const { x, y, width, height } = rectOf(node, view);
    return px >= x && px <= x + width && py >= y && py < y + height;
  }) ?? null;

/** A transfer attack attacks one classifier with images made on others. An edge goes from such a surrogate to the attack. */
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

/** More lines than this are unreadable. */
const maxEdges = 48;

const touches =
  (id: string | null) =>
  ({ from, to }: SurrogateEdge): boolean =>
    id !== null && (from.stage.id === id || to.stage.id === id);

/** The edges to draw. Those of selected and hovered stages are marked; the others are drawn only if there are few. */
export const visibleEdges = (
  edges: readonly SurrogateEdge[],
  activeIds: readonly (string | null)[],
): { readonly plain: readonly SurrogateEdge[]; readonly marked: readonly SurrogateEdge[] } => {
  const marked = edges.filter((edge) => activeIds.some((id) => touches(id)(edge)));
  return { plain: edges.length <= maxEdges ? edges.filter((edge) => !marked.includes(edge)) : [], marked };
};

/** The part of a tooltip about surrogates; empty without any. */
export const surrogateTip = (edges: readonly SurrogateEdge[], { stage }: TreeNode): string => {
  const on = edges.filter(({ to }) => to.stage.id === stage.id).length;
  const by = edges.filter(({ from }) => from.stage.id === stage.id).length;
  if (on > 0) return `\nmakes its images on ${plural(on, 'other classifier')}`;
  return by > 0 ? `\nsurrogate of ${plural(by, 'transfer attack')}` : '';
};

const arrow = 5;

/** Draws an arc from a surrogate to the left edge of the attack. It bulges to the left, into the column of the classifiers. */
const drawEdge = (context: CanvasRenderingContext2D, { from, to }: SurrogateEdge, view: TreeView): void => {
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
  { plain, marked }: ReturnType<typeof visibleEdges>,
  view: TreeView,
  colours: Colours,
): void => {
  const draw = (edges: readonly SurrogateEdge[], tone: string, width: number): void => {
    context.strokeStyle = tone;
    context.fillStyle = tone;
    context.lineWidth = width;
    for (const edge of edges) {
      context.setLineDash([4, 3]);
      drawEdge(context, edge, view);
    }
  };
  draw(plain, colours.muted, 1);
  draw(marked, colours.text, 1.75);
};
