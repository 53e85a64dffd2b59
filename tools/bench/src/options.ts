/** The options of a command of the benchmarks, read by its schema. */
import { parseArgs } from 'node:util';
import type { z } from 'zod';

/** The command line is wrong. The message says how. */
export class WrongOption extends Error {}

/** A flag is absent unless it is given; every other option takes a value. */
const isFlag = (field: z.ZodType): boolean => field.safeParse(undefined).data === false;

const parse = (schema: z.ZodObject, args: readonly string[]) => {
  const options = Object.fromEntries(
    Object.entries(schema.shape).map(([name, field]) => [
      name,
      { type: isFlag(field as z.ZodType) ? ('boolean' as const) : ('string' as const) },
    ]),
  );
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new WrongOption(error.message.split('. ')[0]); // the other sentences explain parseArgs
  }
};

/** Throws WrongOption. */
export const readOptions = <Schema extends z.ZodObject>(
  schema: Schema,
  args: readonly string[],
): z.output<Schema> => {
  const read = schema.safeParse(parse(schema, args));
  if (read.success) return read.data;
  throw new WrongOption(
    read.error.issues.map(({ path, message }) => `--${String(path[0])}: ${message}`).join('\n'),
  );
};
