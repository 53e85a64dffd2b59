/** The paths of faults in the words of the user: the schemas of attacks rewrite an entry before they read it. */

/** `path` without the keys `settings` and `attack` that parsing inserts: the client wrote the settings of an attack beside its name, only its name, or `preset`. */
export const asWritten = (path: readonly PropertyKey[], input: unknown): readonly PropertyKey[] => {
  const written: PropertyKey[] = [];
  let here = input;
  for (const part of path) {
    if (part === 'attack' && typeof here === 'string') continue;
    const record = typeof here === 'object' && here !== null ? (here as Record<PropertyKey, unknown>) : {};
    const isNamed = 'attack' in record || 'preset' in record;
    if (part === 'settings' && isNamed && !('settings' in record)) continue;
    const key = part === 'attack' && !('attack' in record) && 'preset' in record ? 'preset' : part;
    written.push(key);
    here = record[key];
  }
  return written;
};
