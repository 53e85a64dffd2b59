/** The stage tree: dependencies, sharing and progress of the stages of a sweep. */
import type { Stage, StageStatus } from '@funnel/contracts';
import { type KeyboardEvent, type PointerEvent, useEffect, useMemo, useRef, useState } from 'react';
import { useWidth } from '../../components/hooks.ts';
import { Status } from '../../components/status.tsx';
import { formatCount, plural } from '../../format.ts';
import { useColours } from '../../theme.ts';
import {
  drawEdges,
  drawTree,
  nodeAt,
  surrogateEdges,
  surrogateTip,
  type TreeView,
  visibleEdges,
} from './draw.ts';
import { kindsOf, layoutStages, stageTip, type TreeNode, varyingHyperparameters } from './layout.ts';
import '../charts.css';

/** Enough height for one line of text per classifier, within limits. */
const heightFor = (stages: readonly Stage[]): number =>
  Math.max(420, Math.min(900, 17 * stages.filter(({ kind }) => kind === 'classify').length));
const minWidth = 620;

const kindTitles = { initialise: 'Initialise', optimise: 'Optimise', classify: 'Classify', attack: 'Attack' };

/** Up and down go to the next stage of the same kind, left to the parent, right to the first child. */
const neighbour = (
  nodes: readonly TreeNode[],
  node: TreeNode | undefined,
  key: string,
): TreeNode | undefined => {
  if (!node) return nodes[0];
  if (key === 'ArrowLeft') return node.parent ?? undefined;
  if (key === 'ArrowRight') return node.children[0];
  const same = nodes.filter((other) => other.column === node.column).sort((a, b) => a.y0 - b.y0);
  return same[same.indexOf(node) + (key === 'ArrowUp' ? -1 : 1)];
};

const SurrogateLegend = () => (
  <span className="row" style={{ gap: 6 }}>
    <svg width="30" height="10" viewBox="0 0 30 10" aria-hidden="true">
      <circle cx="3" cy="5" r="2.5" fill="var(--muted)" />
      <path d="M3 5H24" stroke="var(--muted)" strokeDasharray="4 3" />
      <path d="M29 5L23 1V9Z" fill="var(--muted)" />
    </svg>
    <span className="muted">a transfer attack makes its images on this classifier</span>
  </span>
);

export const StageTree = (props: {
  readonly stages: readonly Stage[];
  readonly selected: string | null;
  readonly onSelect: (id: string | null) => void;
}) => {
  const { stages, selected } = props;
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const available = useWidth(box, 900);
  const colours = useColours();
  const nodes = useMemo(() => layoutStages(stages), [stages]);
  const kinds = useMemo(() => kindsOf(stages), [stages]);
  const varying = useMemo(() => varyingHyperparameters(stages), [stages]);
  const edges = useMemo(() => surrogateEdges(nodes), [nodes]);
  const [zoomed, setZoomed] = useState<string | null>(null);
  const [hover, setHover] = useState<{
    readonly node: TreeNode;
    readonly x: number;
    readonly y: number;
  } | null>(null);
  const root = nodes.find((node) => node.stage.id === zoomed);
  const width = Math.max(minWidth, available);
  const height = heightFor(stages);
  const view: TreeView = { width, height, from: root?.y0 ?? 0, to: root?.y1 ?? 1, columns: kinds.length };
  const current = nodes.find((node) => node.stage.id === selected);
  const tipOf = (node: TreeNode): string =>
    stageTip(node.stage, varying.get(node.stage.kind) ?? []) + surrogateTip(edges, node);

  useEffect(() => {
    const frame = requestAnimationFrame(() => {
      const context = canvas.current?.getContext('2d');
      if (!context) return;
      const scale = window.devicePixelRatio;
      context.canvas.width = Math.round(width * scale);
      context.canvas.height = Math.round(height * scale);
      context.scale(scale, scale);
      const hovered = hover?.node.stage.id ?? null;
      drawTree(context, nodes, view, { varying, selected, hovered }, colours);
      drawEdges(context, visibleEdges(edges, [selected, hovered]), view, colours);
    });
    return () => cancelAnimationFrame(frame);
  });

  const find = (event: PointerEvent | React.MouseEvent) => {
    const frame = canvas.current!.getBoundingClientRect();
    const [x, y] = [event.clientX - frame.left, event.clientY - frame.top];
    const node = nodeAt(nodes, view, x, y);
    return node ? { node, x, y } : null;
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && selected !== null) setZoomed(zoomed === selected ? null : selected);
    else if (event.key === 'Escape') setZoomed(null);
    else if (event.key.startsWith('Arrow')) {
      const next = neighbour(nodes, current, event.key);
      if (next) props.onSelect(next.stage.id);
    } else return;
    event.preventDefault();
  };

  const counts = new Map<StageStatus, number>();
  for (const { status } of stages) counts.set(status, (counts.get(status) ?? 0) + 1);

  return (
    <div ref={box} className="tree">
      <div className="row tree-legend small">
        {[...counts].map(([status, count]) => (
          <span key={status} className="row" style={{ gap: 5 }}>
            <Status status={status} /> <span className="muted">{formatCount(count)}</span>
          </span>
        ))}
        {edges.length > 0 ? <SurrogateLegend /> : null}
        {root ? (
          <button type="button" className="button" data-size="small" onClick={() => setZoomed(null)}>
            Show all
          </button>
        ) : (
          <span className="muted">Double-click a stage to zoom in.</span>
        )}
      </div>
      <div className="tree-scroll">
        <div className="tree-heads" style={{ width }}>
          {kinds.map((kind) => (
            <span key={kind}>
              {kindTitles[kind]}{' '}
              <span className="muted">{formatCount(stages.filter((s) => s.kind === kind).length)}</span>
            </span>
          ))}
        </div>
        <div style={{ position: 'relative', width, height }}>
          {/* biome-ignore lint/a11y/noInteractiveElementToNoninteractiveRole: one widget, moved through with arrow keys */}
          <canvas
            ref={canvas}
            style={{ width, height }}
            role="application"
            tabIndex={0}
            aria-label={`Tree of ${plural(stages.length, 'stage')}. Arrow keys move, Enter zooms in.${current ? ` Selected: ${tipOf(current)}` : ''}`}
            onPointerMove={(event) => setHover(find(event))}
            onPointerLeave={() => setHover(null)}
            onClick={(event) => props.onSelect(find(event)?.node.stage.id ?? null)}
            onDoubleClick={(event) => setZoomed(find(event)?.node.stage.id ?? null)}
            onKeyDown={onKey}
          />
          {hover ? (
            <div
              className="chart-tip"
              style={{ left: Math.min(hover.x + 14, width - 240), top: Math.min(hover.y + 10, height - 70) }}
            >
              {tipOf(hover.node)}
            </div>
          ) : null}
        </div>
      </div>
      <p className="hidden-visually" aria-live="polite">
        {current ? tipOf(current) : ''}
      </p>
    </div>
  );
};
