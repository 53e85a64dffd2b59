/** A topic of the reference: rows that come from declarations, and the fields in which people read them. */
import { fractionText } from '../fractions.ts';

type Field<Row> = {
  readonly title: string;
  /** The field in words. A list has one line for each of its texts. */
  readonly text: (row: Row) => string | readonly string[];
  /** The list of a topic, which has one line per row, shows this field. */
  readonly isListed?: true;
};

export type Entry = {
  readonly name: string;
  /** Another name by which people may ask for it. */
  readonly alias: string | null;
  /** The row as programs get it. */
  readonly row: Readonly<Record<string, unknown>>;
  readonly fields: readonly {
    readonly title: string;
    readonly lines: readonly string[];
    readonly isListed: boolean;
  }[];
};

/** `entries` makes the rows: programs that only need the names of the topics do not wait for them. */
export type Topic = {
  readonly title: string;
  readonly about: string;
  readonly entries: () => readonly Entry[];
};

export const defineTopic = <Row extends { readonly name: string }>({
  rows,
  fields,
  aliasOf = () => null,
  ...words
}: Pick<Topic, 'title' | 'about'> & {
  readonly rows: () => readonly Row[];
  readonly fields: readonly Field<Row>[];
  readonly aliasOf?: (row: Row) => string | null;
}): Topic => ({
  ...words,
  entries: () =>
    rows().map((row) => ({
      name: row.name,
      alias: aliasOf(row),
      row,
      fields: fields.map(({ title, text, isListed = false }) => ({
        title,
        lines: [text(row)].flat(),
        isListed,
      })),
    })),
});

/** A value as people write it in a sweep file: `8/255`, `32-64`, `true`, `null`. */
export const valueText = (value: unknown): string => {
  if (typeof value === 'number')
    return value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential() : fractionText(value);
  return typeof value === 'string' ? value : JSON.stringify(value);
};
