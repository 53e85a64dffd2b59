/** The documents of a tarball: the part of a README that is for users, and the documents that it links to. Links stay inside of the tarball. */
import { posix } from 'node:path';

/** The heading of a README below which it speaks to people who change the package. */
const contributors = '\n## In this repository\n';

/** A link or a picture: its label and its target. */
const link = /!?\[([^\]]*)\]\(([^)\s]+)\)/g;

const isElsewhere = (target: string): boolean => /^(\w+:|#)/.test(target);

/**
 * `readme`: the text of `packages/<folder>/README.md`. `read`: the text of a file by its path from the root of the checkout. Returns path in the
 * tarball → text. A link to a file that is not in the tarball becomes plain text.
 */
export const documentsOf = async (
  folder: string,
  readme: string,
  read: (path: string) => Promise<string>,
): Promise<Readonly<Record<string, string>>> => {
  const end = readme.indexOf(contributors);
  if (end < 0) throw new Error(`Expected the heading${contributors}in packages/${folder}/README.md`);
  const text = readme.slice(0, end + 1);
  const from = posix.join('packages', folder);
  const pathOf = (base: string, target: string) => posix.join(base, target.replace(/#.*$/, ''));
  const linked = [...text.matchAll(link)]
    .map(([, , target]) => target!)
    .filter((target) => !isElsewhere(target))
    .map((target) => pathOf(from, target));
  const packed = (base: string, document: string, up: string): string =>
    document.replaceAll(link, (whole, label: string, target: string) => {
      if (isElsewhere(target)) return whole;
      const path = pathOf(base, target);
      if (!linked.includes(path)) return label;
      return `[${label}](${up}${path}${/#.*$/.exec(target)?.[0] ?? ''})`;
    });
  const documents: Record<string, string> = { 'README.md': packed(from, text, '') };
  for (const path of linked)
    documents[path] = packed(posix.dirname(path), await read(path), '../'.repeat(path.split('/').length - 1));
  return documents;
};
