/** Draws only the rows of a long list that are in sight. All rows have the same height. */
import { type RefObject, useLayoutEffect, useState } from 'react';

export type RowWindow = {
  readonly first: number;
  readonly last: number;
  readonly before: number;
  readonly after: number;
};

/** Rows drawn beyond either edge, so that fast scrolling and keyboard focus find them there. */
const margin = 8;

/** Rows [first, last) are drawn; `before` and `after` are the heights of what is left out. */
export const rowWindow = (count: number, height: number, top: number, visible: number): RowWindow => {
  const first = Math.max(0, Math.min(count, Math.floor(top / height) - margin));
  const last = Math.max(first, Math.min(count, Math.ceil((top + visible) / height) + margin));
  return { first, last, before: first * height, after: (count - last) * height };
};

/** The rows of `list` that are in sight, inside `scroller`, or in the page when it is null. */
export const useRowWindow = (
  list: RefObject<HTMLElement | null>,
  scroller: RefObject<HTMLElement | null> | null,
  count: number,
  height: number,
): RowWindow => {
  const [seen, setSeen] = useState({ top: 0, visible: 900 });
  useLayoutEffect(() => {
    const target: HTMLElement | Window = scroller?.current ?? window;
    const measure = () => {
      const element = list.current;
      if (!element) return;
      const frame = scroller?.current?.getBoundingClientRect();
      const top = (frame?.top ?? 0) - element.getBoundingClientRect().top;
      const visible = frame?.height ?? window.innerHeight;
      // Only whole rows matter: most scroll events change nothing and draw nothing.
      const snapped = { top: Math.max(0, Math.floor(top / height) * height), visible };
      setSeen((now) => (now.top === snapped.top && now.visible === snapped.visible ? now : snapped));
    };
    measure();
    target.addEventListener('scroll', measure, { passive: true });
    window.addEventListener('resize', measure);
    return () => {
      target.removeEventListener('scroll', measure);
      window.removeEventListener('resize', measure);
    };
  }, [list, scroller, height]);
  return rowWindow(count, height, seen.top, seen.visible);
};

/** Stands in a table for the rows that are out of sight. */
export const SpacerRow = ({ height }: { readonly height: number }) =>
  height > 0 ? <tr className="spacer" style={{ height }} /> : null;
