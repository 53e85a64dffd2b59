/** The packages that other people can install, and what the package.json files of this repository say about them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the checkout. */
export const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Folders of `packages`. */
export const libraries = ['attacks', 'client'] as const;
export type Library = (typeof libraries)[number];

type Dependencies = Readonly<Record<string, string>>;

/** Where a name leads: a path, or a path for each environment. */
export type Target = string | { readonly [condition: string]: Target };

export type Manifest = {
  readonly name: string;
  readonly version: string;
  readonly description?: string;
  readonly keywords?: readonly string[];
  readonly license: string;
  readonly exports: Target;
  readonly imports?: { readonly [name: string]: Target };
  readonly dependencies?: Dependencies;
  readonly peerDependencies?: Dependencies;
  readonly peerDependenciesMeta?: object;
};

export const manifestOf = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(root, 'packages', folder, 'package.json'), 'utf8'));

/** `engines` of the whole repository. */
export const engines: object = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).engines;

export const siblingsOf = ({ dependencies = {} }: Manifest): string[] =>
  Object.keys(dependencies)
    .filter((name) => name.startsWith('@funnel/'))
    .map((name) => name.slice('@funnel/'.length));

/** All paths of a target. */
export const pathsOf = (target: Target): string[] =>
  typeof target === 'string' ? [target] : Object.values(target).flatMap(pathsOf);
