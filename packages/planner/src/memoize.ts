/** Functions that compute each result once. Trials share their results, also as one object, so that less is computed and kept. */

/** Computes a result once for each object. Forgets it with the object. */
export const memoize = <T extends object, R>(compute: (value: T) => R): ((value: T) => R) => {
  const results = new WeakMap<T, R>();
  return (value) => {
    const known = results.get(value);
    if (known !== undefined) return known;
    const result = compute(value);
    results.set(value, result);
    return result;
  };
};

/** Computes a result once for each key: from the first value that has this key. */
export const memoizeBy = <T, R>(keyOf: (value: T) => string, compute: (value: T) => R): ((value: T) => R) => {
  const results = new Map<string, R>();
  return (value) => {
    const key = keyOf(value);
    const known = results.get(key);
    if (known !== undefined) return known;
    const result = compute(value);
    results.set(key, result);
    return result;
  };
};

/** Computes a result when it is first asked for. */
export const once = <R>(compute: () => R): (() => R) => {
  let known: { readonly result: R } | undefined;
  return () => {
    known ??= { result: compute() };
    return known.result;
  };
};
