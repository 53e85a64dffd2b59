/** The tags and the notes that people give to sweeps. */
import { didYouMean, whyUnreadable } from '@funnel/contracts';
import { decodeText } from '@funnel/contracts/sweep-yaml';
import type { Command } from 'commander';
import { readBounded } from '../bounded-file.ts';
import type { Context } from '../context.ts';
import { Exit, exitCodes } from '../exit.ts';
import { present } from '../output/terminal.ts';
import { findSweep } from '../requests.ts';
import { readTag, sweepWords } from '../values.ts';

const describeTags = (tags: readonly string[]): string =>
  tags.length === 0 ? 'No tag yet: `npx funnel tag SWEEP TAG`' : tags.join('\n');

type TagOptions = { readonly remove?: readonly string[] };

const tag = async (
  idOrName: string,
  added: readonly string[],
  { remove = [] }: TagOptions,
  { client, output }: Context,
): Promise<void> => {
  const api = client();
  const params = { id: await findSweep(api, idOrName) };
  const { id, tags: old = [] } = await api.getSweep({ params });
  const missing = remove.find((each) => !old.includes(each));
  if (missing !== undefined)
    throw new Exit(
      exitCodes.usage,
      [
        `Expected a tag of sweep ${id} after --remove, but it has no tag ${missing}.`,
        `→ ${didYouMean(missing, old) ?? `\`npx funnel tag ${id}\` lists its tags.`}`,
      ].join('\n'),
    );
  const isRead = added.length === 0 && remove.length === 0;
  const body = { addTags: [...added], removeTags: [...remove] };
  const { tags = [] } = isRead ? { tags: old } : await api.annotateSweep({ params, body });
  present(output, { id, tags }, () => describeTags(tags));
};

/** All of stdin. The end of its last line is not a part of the notes. */
const readStdin = (): string => {
  try {
    return decodeText(readBounded('-')).replace(/(\r?\n)+$/, '');
  } catch (error) {
    throw new Exit(exitCodes.usage, `The notes on stdin cannot be read: ${whyUnreadable(error)}`);
  }
};

const note = async (
  idOrName: string,
  text: string | undefined,
  { client, output }: Context,
): Promise<void> => {
  const api = client();
  const params = { id: await findSweep(api, idOrName) };
  const { id, notes = '' } =
    text === undefined
      ? await api.getSweep({ params })
      : await api.annotateSweep({ params, body: { notes: text === '-' ? readStdin() : text } });
  present(output, { id, notes }, () => {
    if (text !== undefined) return `The notes of sweep ${id} are ${notes === '' ? 'removed' : 'stored'}.`;
    return notes === '' ? 'No notes yet: `npx funnel note SWEEP TEXT`' : notes;
  });
};

export const annotateCommands = (program: Command, context: () => Context): void => {
  program
    .command('tag')
    .description('add tags to a sweep, or remove some; without any it lists them')
    .argument('<sweep>', sweepWords)
    .argument('[tags...]', 'words to find the sweep by, such as baseline or paper/v2', readTag)
    .option('--remove <tag>', 'a tag that the sweep shall lose; may be repeated', readTag)
    .action((id: string, tags: readonly string[] | undefined, options: TagOptions) =>
      tag(id, tags ?? [], options, context()),
    );
  program
    .command('note')
    .description('write the notes of a sweep; without a text it prints them')
    .argument('<sweep>', sweepWords)
    .argument('[text]', 'the new notes (- is stdin); an empty text removes them')
    .action((id: string, text: string | undefined) => note(id, text, context()));
};
