export type Point = { readonly x: number; readonly y: number };

/**
 * The points that no other point beats in both coordinates (greater is better in both), by growing x. Of equal points the first is
 * kept. O(n log n).
 */
export const paretoFront = <P extends Point>(points: readonly P[]): P[] => {
  const sorted = [...points].sort((a, b) => b.x - a.x || b.y - a.y);
  const front: P[] = [];
  for (const point of sorted) if (front.length === 0 || point.y > front.at(-1)!.y) front.push(point);
  return front.reverse();
};
