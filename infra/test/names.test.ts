/** Names that hindered a first reading. The field's words have replaced them, and they must not come back. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync, Visitor } from 'oxc-parser';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const files = execFileSync('git', ['ls-files', '*.ts', '*.tsx', '*.mts', '*.mjs'], {
  cwd: root,
  encoding: 'utf8',
})
  .trim()
  .split('\n');

/** Names that nothing may have, and the names to use instead. */
const identifiers: Readonly<Record<string, string>> = {
  leaseEpoch: 'fencingToken',
  lease_epoch: 'fencing_token',
  merit: 'utility',
  knob: 'hyperparameter',
  knobs: 'hyperparameters',
  doorbell: 'listener, notification, wake-up signal',
  bell: 'listener, notification, wake-up signal',
  ear: 'listener',
  ringer: 'publisher',
  patience: 'timeout, in ms or s by its name',
  breathe: 'yieldToEventLoop',
  giveBack: 'release',
  handBack: 'release',
  distrust: 'what happens to it',
  suffer: 'injectFault',
  standIn: 'simulated, simulation',
  standsOn: 'dependsOn',
  unsure: 'isUncertain',
  unstick: 'what it does',
};

/** Patterns of names that nothing may have, and the names to use instead: `maxBytes` for `mostBytes`. */
const patterns: readonly (readonly [RegExp, string])[] = [
  [/^most[A-Z]/, 'max…'],
  [/^least[A-Z]/, 'min…'],
  [/^settle/, 'what it does: release, propagate, build …'],
  [/[a-z]Knobs?(?![a-z])|^Knobs?$/, 'Hyperparameter'],
];

/** Names that no function may have: they do not say what the function does. */
const functions = new Set(['work', 'look', 'first', 'over']);

/** Names that no file may have. */
const fileNames = new Set(
  'places.ts rows.ts best.ts tries.ts starts.ts outcomes.ts reasons.ts sides.ts closing.ts every.ts chosen.ts apart.ts utils.ts common.ts helpers.ts'.split(
    ' ',
  ),
);

type Named = { readonly name: string; readonly isFunction: boolean };

/** The names that a file declares: variables, parameters, functions, types, properties, imports. */
const declaredIn = (file: string, text: string): Named[] => {
  const { program, errors } = parseSync(file, text);
  expect(errors, file).toEqual([]);
  const names: Named[] = [];
  const add = (node: { type: string; name?: unknown } | null | undefined, isFunction = false): void => {
    if (node?.type === 'Identifier' && typeof node.name === 'string')
      names.push({ name: node.name, isFunction });
  };
  const isFunction = (node: { type: string } | null): boolean =>
    node?.type === 'ArrowFunctionExpression' || node?.type === 'FunctionExpression';
  new Visitor({
    VariableDeclarator: ({ id, init }) => add(id, isFunction(init)),
    FunctionDeclaration: ({ id }) => add(id, true),
    TSTypeAliasDeclaration: ({ id }) => add(id),
    TSInterfaceDeclaration: ({ id }) => add(id),
    ClassDeclaration: ({ id }) => add(id),
    Property: ({ key, computed }) => (computed ? undefined : add(key)),
    TSPropertySignature: ({ key, computed }) => (computed ? undefined : add(key)),
    ArrowFunctionExpression: ({ params }) => {
      for (const param of params) add(param as { type: string });
    },
    ImportSpecifier: ({ local }) => add(local),
  }).visit(program);
  return names;
};

const complaintsAbout = ({ name, isFunction }: Named): string[] => [
  ...(Object.hasOwn(identifiers, name) ? [identifiers[name]!] : []),
  ...patterns.filter(([pattern]) => pattern.test(name)).map(([, instead]) => instead),
  ...(isFunction && functions.has(name) ? ['a name that says what it does'] : []),
];

it('are used nowhere in the sources', () => {
  const found = files.flatMap((file) => {
    if (file.startsWith('infra/test/names.test')) return [];
    return declaredIn(file, readFileSync(`${root}/${file}`, 'utf8')).flatMap((named) =>
      complaintsAbout(named).map((instead) => `${file}: ${named.name} → ${instead}`),
    );
  });
  expect([...new Set(found)]).toEqual([]);
});

it('are the names of no file', () => {
  expect(files.filter((file) => fileNames.has(basename(file)))).toEqual([]);
});

it('would be found', () => {
  const text =
    'const work = () => {}; const a = { knob: 1 }; type T = { mostBytes: number }; const f = (patience: number) => patience;';
  expect(
    declaredIn('a.ts', text)
      .filter((named) => complaintsAbout(named).length > 0)
      .map(({ name }) => name),
  ).toEqual(['work', 'knob', 'mostBytes', 'patience']);
});
