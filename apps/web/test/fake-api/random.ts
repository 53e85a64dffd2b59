/** Numbers that look random and are the same every time: a hash of what they are for. */
export const hashOf = (text: string): number => {
  let h = 2166136261;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 16777619);
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
};

/** Uniform in (0, 1). */
export const uniformOf = (text: string): number => (hashOf(text) + 0.5) / 4294967296;

/** Standard normal (Box–Muller). */
export const normalOf = (text: string): number =>
  Math.sqrt(-2 * Math.log(uniformOf(`${text}/r`))) * Math.cos(2 * Math.PI * uniformOf(`${text}/a`));
