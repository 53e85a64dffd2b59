import { AppError } from '@funnel/contracts';
import { cut } from './describe.ts';

/** Characters of an error's text: parsers quote what they could not read, which may be all of a body. */
const longest = 500;

export const malformed = (message: string, cause?: unknown): AppError =>
  new AppError('MALFORMED_BODY', cut(message, longest), {}, { cause });

/** What `parse` throws becomes a MALFORMED_BODY that says what was expected and what the parser said. */
export const parsing = <T>(expected: string, parse: () => T): T => {
  try {
    return parse();
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw malformed(
      `Expected ${expected}, but: ${error instanceof Error ? error.message : String(error)}`,
      error,
    );
  }
};
