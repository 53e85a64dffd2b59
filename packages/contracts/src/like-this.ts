/** The option `error` of a schema: for a value of another type, names the type with an example. Other faults keep their words. */
export const likeThis =
  (example: string) =>
  ({ code }: { readonly code?: string | undefined }): string | undefined =>
    code === 'invalid_type' ? `Expected ${example}` : undefined;
