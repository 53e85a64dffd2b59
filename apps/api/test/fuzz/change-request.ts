/** A small valid request in which some leaves have other values. */
import { type HyperparameterName, hyperparametersOf, recipeNames } from '@funnel/contracts';
import { oneTrial } from '../build.ts';
import type { Operation } from './api-document.ts';
import type { Change, Path } from './leaves.ts';

/** A small sweep with a recipe for each hyperparameter that the changes set, because a sweep refuses a hyperparameter that nothing reads. */
export const sweepFor = (changes: readonly Change[]): object => {
  const names = changes.flatMap(({ leaf: { path } }) => (path[0] === 'space' && path[1] ? [path[1]] : []));
  const reading = names.map(
    (name) =>
      recipeNames.find((recipe) => hyperparametersOf(recipe).includes(name as HyperparameterName)) ?? 'funn',
  );
  return { ...oneTrial, recipes: [...new Set(['funn', ...reading])] };
};

/** `value` with `make(old)` at the path. Missing lists and objects on the way are made. */
const put = (value: unknown, [key, ...rest]: Path, make: (old: unknown) => unknown): unknown => {
  if (key === undefined) return make(value);
  if (typeof key === 'number') return [put(Array.isArray(value) ? value[key] : undefined, rest, make)];
  const record = typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
  return { ...record, [key]: put((record as Record<string, unknown>)[key], rest, make) };
};

const mark = (i: number): string => `@leaf ${i}@`;

/** `base` with the changes of its leaves, as JSON. */
const bodyWith = (base: unknown, changes: readonly Change[]): string => {
  const marked = changes.reduce((body, { leaf, neighbours }, i) => {
    const ready = neighbours.reduce((value, one) => put(value, one.path, (old) => old ?? one.value), body);
    return put(ready, leaf.path, () => mark(i));
  }, base);
  return changes.reduce(
    (text, { texts }, i) => text.replace(JSON.stringify(mark(i)), () => texts[0]!),
    JSON.stringify(marked),
  );
};

/** Characters of a parameter. Node refuses longer addresses and headers. */
const maxEncoded = 8000;
const encode = (text: string): string => encodeURIComponent(text).slice(0, maxEncoded);

export type ChangedRequest = {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
};

/** `body`: a valid body. `idOf`: an existing id for a parameter of the path. */
export const requestWith = (
  { method, path, body: schema }: Operation,
  base: { readonly body: unknown; readonly idOf: (name: string) => string },
  changes: readonly Change[],
): ChangedRequest => {
  const of = (part: Change['leaf']['part']) => changes.filter(({ leaf }) => leaf.part === part);
  const inPath = new Map(of('path').map(({ leaf, texts }) => [leaf.path[0], texts[0]!]));
  const at = path.replace(
    /\{(\w+)\}/g,
    (_, name: string) => encode(inPath.get(name) ?? base.idOf(name)) || '%20',
  );
  const query = of('query').flatMap(({ leaf, texts }) =>
    texts.map((text) => `${leaf.path[0]}=${encode(text)}`),
  );
  // HTTP itself refuses control characters in headers.
  const headers = of('header').map(({ leaf, texts }) => [leaf.path[0], encode(texts[0]!)]);
  return {
    method,
    url: `${at}${query.length > 0 ? `?${query.join('&')}` : ''}`,
    headers: { ...Object.fromEntries(headers), ...(schema && { 'content-type': 'application/json' }) },
    body: schema ? bodyWith(base.body, of('body')) : undefined,
  };
};
