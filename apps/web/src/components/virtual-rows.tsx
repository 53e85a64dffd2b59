/** Draws only the visible rows of a long table (TanStack Virtual). All rows have the same height. */
import { useVirtualizer, useWindowVirtualizer, type VirtualItem } from '@tanstack/react-virtual';
import { type RefObject, useLayoutEffect, useState } from 'react';

/** Rows [first, last) are drawn. `before` and `after` are the heights of the rows that are not drawn. */
type RowWindow = {
  readonly first: number;
  readonly last: number;
  readonly before: number;
  readonly after: number;
};

/** Rows drawn beyond either edge, for fast scrolling and for keyboard focus. */
const overscan = 8;

export const rowWindow = (
  visible: readonly Pick<VirtualItem, 'index'>[],
  count: number,
  height: number,
): RowWindow => {
  const first = visible[0]?.index ?? 0;
  const last = (visible.at(-1)?.index ?? -1) + 1;
  return { first, last, before: first * height, after: (count - last) * height };
};

/** The visible rows of a table that scrolls with the page. */
export const usePageRows = (
  table: RefObject<HTMLElement | null>,
  count: number,
  height: number,
): RowWindow => {
  const [top, setTop] = useState(0);
  // The content above the table can change in any render.
  useLayoutEffect(() => {
    if (table.current) setTop(Math.round(table.current.getBoundingClientRect().top + window.scrollY));
  });
  const rows = useWindowVirtualizer({
    ...{ count, overscan, scrollMargin: top, useFlushSync: false },
    estimateSize: () => height,
  });
  useLayoutEffect(() => rows.measure(), [rows, height]);
  return rowWindow(rows.getVirtualItems(), count, height);
};

/** The visible rows of a table inside an element that scrolls. */
export const useScrolledRows = (
  scroller: RefObject<HTMLElement | null>,
  count: number,
  height: number,
): RowWindow => {
  const rows = useVirtualizer({
    ...{ count, overscan, useFlushSync: false },
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
  });
  return rowWindow(rows.getVirtualItems(), count, height);
};

/** An empty row with the height of the rows that are not drawn. */
export const SpacerRow = ({ height }: { readonly height: number }) =>
  height > 0 ? <tr className="spacer" style={{ height }} /> : null;
