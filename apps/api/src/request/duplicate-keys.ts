/** JSON.parse keeps the last of two equal keys and says nothing. In a sweep that would drop half of a space, so it is looked for. */

const backslash = 0x5c;

/** Index of the quote that closes the string opened at `open`. */
const closingQuote = (text: string, open: number): number => {
  let end = text.indexOf('"', open + 1);
  for (;;) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === backslash) slashes++;
    if (slashes % 2 === 0) return end;
    end = text.indexOf('"', end + 1);
  }
};

/** A string is a key if a colon follows it: nowhere else may one follow in valid JSON. */
const isKey = (text: string, after: number): boolean => {
  let i = after;
  while (' \t\r\n'.includes(text.charAt(i)) && i < text.length) i++;
  return text.charAt(i) === ':';
};

/** The first key that some object of `json` holds twice, or null. `json` must be valid JSON. Linear in its length. */
export const findDuplicateKey = (json: string): string | null => {
  const objects: Set<string>[] = [];
  for (let i = 0; i < json.length; i++) {
    const character = json.charAt(i);
    if (character === '{') objects.push(new Set());
    else if (character === '}') objects.pop();
    else if (character === '"') {
      const end = closingQuote(json, i);
      if (isKey(json, end + 1)) {
        const literal = json.slice(i, end + 1);
        const key = literal.includes('\\') ? (JSON.parse(literal) as string) : literal.slice(1, -1);
        const keys = objects.at(-1)!;
        if (keys.has(key)) return key;
        keys.add(key);
      }
      i = end;
    }
  }
  return null;
};
