/** The leaves of a request: every place of its body, of its address and of its headers where a value can stand. */
import type { Operation } from './api-document.ts';
import type { Schema } from './generate-value.ts';
import { mildValues } from './mild-values.ts';
import type { Random } from './strange-values.ts';
import { wildJson, wildTexts } from './wild-values.ts';

/** Keys from the root of a body to a leaf; a number is the index of an element. For a parameter, its name alone. */
export type Path = readonly (string | number)[];

/** A value that must stand beside a leaf, so that the schema can accept the leaf: `strategy` beside `trials`. */
export type Neighbour = { readonly path: Path; readonly value: unknown };

/** One of the schemas of a leaf: `steps` has one for each attack. */
type Form = { readonly schema: Schema; readonly neighbours: readonly Neighbour[] };

export type Leaf = {
  readonly part: 'body' | 'query' | 'path' | 'header';
  readonly path: Path;
  readonly forms: readonly Form[];
  /** Ids that exist in the database. */
  readonly ids: readonly string[];
};

type Resolve = (ref: string) => Schema;
type Found = { readonly path: Path; readonly form: Form };

const findForms = (
  schema: Schema,
  resolve: Resolve,
  path: Path = [],
  neighbours: readonly Neighbour[] = [],
): readonly Found[] => {
  if (path.length > 8) return []; // no schema of the API is deeper
  if (schema.$ref) return findForms(resolve(schema.$ref), resolve, path, neighbours);
  const { properties = {}, required = [], items, prefixItems = [] } = schema;
  const options = schema.anyOf ?? schema.oneOf ?? schema.allOf;
  if (options) return options.flatMap((option) => findForms(option, resolve, path, neighbours));
  const members = Object.entries(properties).flatMap(([key, member]) => {
    const others = required
      .filter((other) => other !== key)
      .map((other) => ({ path: [...path, other], value: mildValues(properties[other]!, resolve)[0] }));
    return findForms(member, resolve, [...path, key], [...neighbours, ...others]);
  });
  const elements = (items ? [items] : prefixItems).flatMap((element, at) =>
    findForms(element, resolve, [...path, at], neighbours),
  );
  return [{ path, form: { schema, neighbours } }, ...members, ...elements];
};

/** Every place where a value can stand: leaves, and the lists and objects above them. */
const bodyLeaves = (schema: Schema, resolve: Resolve): readonly Leaf[] => {
  const forms = new Map<string, { readonly path: Path; readonly forms: Form[] }>();
  for (const { path, form } of findForms(schema, resolve)) {
    const key = JSON.stringify(path);
    const leaf = forms.get(key);
    if (leaf) leaf.forms.push(form);
    else forms.set(key, { path, forms: [form] });
  }
  return [...forms.values()].map((leaf) => ({ part: 'body', ids: [], ...leaf }));
};

/** `idsOf`: existing ids for a parameter of this operation. */
export const leavesOf = (
  { body, parameters }: Operation,
  resolve: Resolve,
  idsOf: (name: string) => readonly string[],
): readonly Leaf[] => [
  ...(body ? bodyLeaves(body, resolve) : []),
  ...parameters.map(({ name, in: part, schema }) => ({
    part: part as Leaf['part'], // OpenAPI's names of the parts
    path: [name],
    forms: [{ schema, neighbours: [] }],
    ids: idsOf(name),
  })),
];

/** `texts`: one JSON text for a body; for a parameter its value, or several where it is repeated. */
export type Change = {
  readonly leaf: Leaf;
  readonly neighbours: readonly Neighbour[];
  readonly texts: readonly string[];
};

/** The type and the bounds of a schema: wild values differ from all constants, and from all members of an object. */
const boundsOf = (schema: Schema & Record<string, unknown>): string => {
  const { title, description, default: _, const: _constant, properties, required, ...bounds } = schema;
  return JSON.stringify(bounds);
};

/** Every wild value at the leaf, once for the bounds of each of its schemas. */
export const wildChanges = (leaf: Leaf): readonly Change[] => {
  const forms = [...new Map(leaf.forms.map((form) => [boundsOf(form.schema), form])).values()];
  const values = leaf.part === 'body' ? wildJson : wildTexts;
  return forms.flatMap(({ neighbours }) => values.map((text) => ({ leaf, neighbours, texts: [text] })));
};

const mildChangesOf = (leaf: Leaf, { schema, neighbours }: Form, resolve: Resolve): readonly Change[] => {
  if (leaf.ids.length > 0) return leaf.ids.map((id) => ({ leaf, neighbours, texts: [id] }));
  return mildValues(schema, resolve).map((value) => ({
    leaf,
    neighbours,
    texts: leaf.part === 'body' ? [JSON.stringify(value)] : [value].flat().map(String),
  }));
};

/** Every mild value at the leaf. */
export const mildChanges = (leaf: Leaf, resolve: Resolve): readonly Change[] =>
  leaf.forms.flatMap((form) => mildChangesOf(leaf, form, resolve));

export type Kind = 'wild' | 'mild';

/** A leaf of many forms is as likely as any other. */
export const randomChange = (
  random: Random,
  leaves: readonly Leaf[],
  kind: Kind,
  resolve: Resolve,
): Change => {
  const leaf = random.pick(leaves);
  const form = random.pick(leaf.forms);
  return random.pick(
    kind === 'wild' ? wildChanges({ ...leaf, forms: [form] }) : mildChangesOf(leaf, form, resolve),
  );
};

export const describeChange = ({ leaf, texts }: Change): string =>
  `${leaf.part} ${leaf.path.join('.')} = ${texts.join(', ').slice(0, 40)}`;
