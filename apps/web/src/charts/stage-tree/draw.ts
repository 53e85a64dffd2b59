import type { Colours } from '../colours.ts';
import { stageLabel } from './label.ts';
import type { TreeNode } from './layout.ts';

export type TreeView = {
  readonly width: number;
  readonly height: number;
  /** The part of the tree on show, as shares of its height. */
  readonly from: number;
  readonly to: number;
};

const columns = 4;
const gap = 3;

export const rectOf = (node: TreeNode, view: TreeView) => {
  const column = (view.width + gap) / columns;
  const scale = view.height / (view.to - view.from);
  return {
    x: node.column * column,
    y: (node.y0 - view.from) * scale,
    width: node.span * column - gap,
    height: (node.y1 - node.y0) * scale,
    /** The same number as the next one's `y`: not a sum, which rounds otherwise. */
    bottom: (node.y1 - view.from) * scale,
  };
};

/** Too thin for a word each: stages that stand on the same one are one block with a number on it. */
const isThin = (height: number): boolean => height < 13;

/** `5 attacks`, over those that stand on one stage. */
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
  const text = `${node.children.length} ${first.stage.kind === 'attack' ? 'attacks' : 'stages'}`;
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
    // Many thin ones on one stage lie on whole pixels without a gap: a block, and not stripes.
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
        context.fillText(clip(context, `shared by ${stage.sharedBy} trials`, width - 16), x + 10, middle + 9);
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

/** The node under a point. Deepest columns lie to the right, so at most one is hit. */
export const nodeAt = (nodes: readonly TreeNode[], view: TreeView, px: number, py: number): TreeNode | null =>
  nodes.find((node) => {
    const { x, y, width, height } = rectOf(node, view);
    return px >= x && px <= x + width && py >= y && py < y + height;
  }) ?? null;
