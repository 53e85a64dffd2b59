/** Points with several utilities: more is better in each. */

/** Whether `a` is at least as good as `b` in each utility, and better in one. */
export const dominates = (a: readonly number[], b: readonly number[]): boolean => {
  let isBetter = false;
  for (let i = 0; i < a.length; i++) {
    if (a[i]! < b[i]!) return false;
    if (a[i]! > b[i]!) isBetter = true;
  }
  return isBetter;
};

/** In this order no point dominates one before it. */
const lexicographically =
  (points: readonly (readonly number[])[]) =>
  (a: number, b: number): number => {
    for (const [i, utility] of points[a]!.entries()) {
      const other = points[b]![i]!;
      if (utility !== other) return utility > other ? -1 : 1;
    }
    return a - b;
  };

/**
 * Yields indices by front: no point dominates those of the first, only points of the first dominate those of the second, and so on (Deb et al.
 * 2002, §III A). Indices are in ascending order. Only the fronts that are read cost time.
 */
export function* frontsOf(points: readonly (readonly number[])[]): Generator<readonly number[]> {
  let rest = points.map((_, index) => index).sort(lexicographically(points));
  while (rest.length > 0) {
    const front: number[] = [];
    const others: number[] = [];
    for (const index of rest) {
      const isDominated = front.some((better) => dominates(points[better]!, points[index]!));
      (isDominated ? others : front).push(index);
    }
    yield front.sort((a, b) => a - b);
    rest = others;
  }
}

/** The area above `reference` that points dominate. They are added one by one, and those that add nothing cost no more time. */
const createArea = (reference: readonly number[]) => {
  const [left, bottom] = reference as [number, number];
  /** The front of the points, from the best second utility downwards. The first utility grows from each to the next. */
  const xs: number[] = [];
  const ys: number[] = [];
  let area = 0;
  return {
    add: (x: number, y: number): void => {
      let place = xs.length;
      while (place > 0 && ys[place - 1]! < y) place--;
      if (place > 0 && xs[place - 1]! >= x) return;
      // The new area lies between the point and the steps that it covers.
      let reached = place > 0 ? xs[place - 1]! : left;
      let covered = place;
      for (; covered < xs.length && xs[covered]! <= x; covered++) {
        area += (xs[covered]! - reached) * (y - ys[covered]!);
        reached = xs[covered]!;
      }
      area += (x - reached) * (y - (covered < xs.length ? ys[covered]! : bottom));
      xs.splice(place, covered - place, x);
      ys.splice(place, covered - place, y);
    },
    sum: (): number => area,
  };
};

/** The volume that the points dominate above `reference`, by slices along the last objective. */
export const hypervolume = (points: readonly (readonly number[])[], reference: readonly number[]): number => {
  const last = reference.length - 1;
  const inside = points.filter((point) => reference.every((bound, i) => point[i]! > bound));
  if (last === 0) return inside.reduce((max, [utility]) => Math.max(max, utility! - reference[0]!), 0);
  const area = createArea(reference);
  if (last === 1) {
    for (const point of inside) area.add(point[0]!, point[1]!);
    return area.sum();
  }
  inside.sort((a, b) => b[last]! - a[last]!);
  const below = reference.slice(0, last);
  let volume = 0;
  for (const [index, point] of inside.entries()) {
    area.add(point[0]!, point[1]!);
    const height = point[last]! - (inside[index + 1]?.[last] ?? reference[last]!);
    if (height === 0) continue;
    volume += height * (last === 2 ? area.sum() : hypervolume(inside.slice(0, index + 1), below));
  }
  return volume;
};

/** Whether `a` is at least as good as `b` in each utility. */
const covers = (a: readonly number[], b: readonly number[]): boolean =>
  a.every((utility, i) => utility >= b[i]!);

/** The indices of the points that no other point dominates, the first of equal ones. */
export const paretoFront = (points: readonly (readonly number[])[]): readonly number[] => {
  const [front = []] = frontsOf(points);
  const first = new Map<string, number>();
  for (const index of front) {
    const key = points[index]!.join(' ');
    if (!first.has(key)) first.set(key, index);
  }
  return [...first.values()];
};

/**
 * The volume above `reference` that the point dominates and the others do not: its box, without the parts of the box that the others dominate
 * (While et al. 2012, "A fast way of calculating exact hypervolumes", §III).
 */
const gainOf = (
  point: readonly number[],
  others: readonly (readonly number[])[],
  reference: readonly number[],
): number => {
  const parts = others.map((other) => other.map((utility, i) => Math.min(utility, point[i]!)));
  return Math.max(0, hypervolume([point], reference) - hypervolume(parts, reference));
};

/** The volume that the points up to each one dominate above `reference`. */
export const growingHypervolume = (
  points: readonly (readonly number[])[],
  reference: readonly number[],
): readonly number[] => {
  let front: (readonly number[])[] = [];
  let volume = 0;
  return points.map((point) => {
    if (front.some((other) => covers(other, point))) return volume;
    volume += gainOf(point, front, reference);
    front = [...front.filter((other) => !covers(point, other)), point];
    return volume;
  });
};

/** The volume above `reference` that both points dominate. */
const sharedBox = (a: readonly number[], b: readonly number[], reference: readonly number[]): number =>
  reference.reduce((volume, bound, i) => volume * Math.max(0, Math.min(a[i]!, b[i]!) - bound), 1);

/**
 * `count` of the points, chosen one after the other, each with the greatest gain of hypervolume (ties: the lower index). A gain only falls
 * when others are chosen, and is at most the box of the point without the part that it shares with one of them. So few gains must be computed.
 */
export const spreadSubset = (
  points: readonly (readonly number[])[],
  count: number,
  reference: readonly number[],
): readonly number[] => {
  const chosen: number[] = [];
  const candidates = points.map((point, index) => {
    const box = sharedBox(point, point, reference);
    return { point, index, box, gain: box, size: 0 };
  });
  while (chosen.length < Math.min(count, points.length)) {
    const candidate = candidates.reduce((best, each) => (each.gain > best.gain ? each : best));
    if (candidate.size < chosen.length) {
      const others = chosen.map((index) => points[index]!);
      candidate.gain = gainOf(candidate.point, others, reference);
      candidate.size = chosen.length;
      continue;
    }
    chosen.push(candidate.index);
    for (const each of candidates)
      each.gain = Math.min(each.gain, each.box - sharedBox(each.point, candidate.point, reference));
    candidate.gain = Number.NEGATIVE_INFINITY;
  }
  return chosen;
};

/** Slightly worse than the worst of the points in each utility. */
const referenceBelow = (points: readonly (readonly number[])[]): readonly number[] =>
  points[0]!.map((_, objective) => {
    const worst = points.reduce((min, point) => Math.min(min, point[objective]!), Number.POSITIVE_INFINITY);
    const best = points.reduce((max, point) => Math.max(max, point[objective]!), Number.NEGATIVE_INFINITY);
    return worst - 0.1 * (best - worst || 1);
  });

/**
 * The indices of the points, best first: by front, and within a front so that each prefix is spread out. With one utility this is the
 * descending order (ties: the lower index). `count`: how many are wanted.
 */
export const bestFirst = (
  points: readonly (readonly number[])[],
  count = points.length,
): readonly number[] => {
  if (points.length === 0) return [];
  if (points[0]!.length === 1)
    return points
      .map((_, index) => index)
      .sort((a, b) => points[b]![0]! - points[a]![0]! || a - b)
      .slice(0, count);
  const order: number[] = [];
  for (const front of frontsOf(points)) {
    if (order.length >= count) break;
    const members = front.map((index) => points[index]!);
    const wanted = Math.min(front.length, count - order.length);
    order.push(...spreadSubset(members, wanted, referenceBelow(members)).map((at) => front[at]!));
  }
  return order;
};
