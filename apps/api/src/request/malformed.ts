import { AppError } from '@funnel/contracts';

export const malformed = (message: string, cause?: unknown): AppError =>
  new AppError('MALFORMED_BODY', message, {}, { cause });

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
