/** The parts of a document that a reader may type: fenced blocks, and commands in sentences. */
import { readFileSync } from 'node:fs';

export type Block = {
  readonly document: string;
  /** The line of the opening fence, counted from 1. */
  readonly line: number;
  readonly language: string;
  readonly text: string;
};

export const root = new URL('../../../../', import.meta.url);
export const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

/** Fenced blocks, in order. */
export const blocksOf = (document: string): Block[] => {
  const text = read(document);
  return [...text.matchAll(/^( *)```(\w+)\n([\s\S]*?)^\1```$/gm)].map(
    ([, indent = '', language = '', body = ''], i, all) => ({
      document,
      line: text.slice(0, all[i]!.index).split('\n').length,
      language,
      text: body.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
    }),
  );
};

/** Files of the repository that a document links to or shows, without anchors. */
export const filesOf = (document: string): string[] => {
  const prose = read(document).replaceAll(/^( *)```[\s\S]*?^\1```$/gm, '');
  const targets = [...prose.matchAll(/\]\(([^)\s]+)\)|(?:src|srcset)="([^"]+)"/g)].map(
    ([, link, source]) => link ?? source ?? '',
  );
  const paths = targets
    .map((target) => target.replace(/#.*$/, ''))
    .filter((path) => path !== '' && !/^\w+:/.test(path));
  return paths.map((path) => new URL(path, new URL(document, root)).href);
};

/**
 * Files and folders of the repository that a document names, such as `packages/…`, without built files: a fresh clone does not have them.
 */
export const namesOf = (document: string): string[] =>
  [
    ...read(document).matchAll(
      /`((?:packages|apps|infra|prisma|examples|docs|tools|fixtures)\/[^`\s<>*:]+)`/g,
    ),
  ]
    .map(([, path = '']) => path)
    .filter((path) => !path.includes('/dist/'))
    .map((path) => new URL(path, root).href);

/** One command per line, without its comment. A line that ends in a backslash continues. */
export const commandsOf = ({ text }: Block): string[] =>
  text
    .replaceAll('\\\n', ' ')
    .split('\n')
    .map((line) => line.replace(/(^|\s)#\s.*$/, '').trim())
    .filter((line) => line !== '');

/** Commands in sentences: `npx funnel doctor`. */
export const inlineCommandsOf = (document: string): string[] => {
  const prose = read(document).replaceAll(/^( *)```[\s\S]*?^\1```$/gm, '');
  return [...prose.matchAll(/`([^`\n]+)`/g)]
    .map(([, code = '']) => code)
    .filter((code) => /^(npx|npm|curl|docker|node) /.test(code));
};
