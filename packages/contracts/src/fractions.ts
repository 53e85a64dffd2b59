/** Numbers as people write them: `8/255`. Settings of attacks and real hyperparameters may be written so. */
import { z } from 'zod';

const fraction = /^\s*(\d+(?:\.\d+)?)\s*\/\s*(\d+(?:\.\d+)?)\s*$/;

/** `8/255` as a number; null for any other text. */
export const readFraction = (text: string): number | null => {
  const match = fraction.exec(text);
  return match && Number(match[2]) !== 0 ? Number(match[1]) / Number(match[2]) : null;
};

/** Longer numbers are shown as fractions if they are some. */
const shortNumber = 6;

/** A number for people, which `readFraction` or `Number` reads as the same number: `8/255` for 0.03137254901960784, `0.3` for 0.3. */
export const fractionText = (value: number): string => {
  const text = String(value);
  const numerator = Math.round(value * 255);
  return text.length > shortNumber && value > 0 && numerator / 255 === value ? `${numerator}/255` : text;
};

/** The same value, with a number for every fraction that is written as text in it. */
export const readFractions = (value: unknown): unknown => {
  if (typeof value === 'string') return readFraction(value) ?? value;
  if (Array.isArray(value)) return value.map(readFractions);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, setting]) => [name, readFractions(setting)]));
};

/** Adds to every number of a JSON Schema, except whole numbers, that a fraction as text stands for it. */
const allowFractions = ({ jsonSchema }: { readonly jsonSchema: Record<string, unknown> }): void => {
  if (jsonSchema.type !== 'number') return;
  const bounds = Object.entries(jsonSchema).filter(([key]) => key === 'type' || /m(in|ax)imum$/i.test(key));
  for (const [key] of bounds) delete jsonSchema[key];
  const text = { type: 'string', pattern: fraction.source, description: 'A fraction, such as 8/255.' };
  jsonSchema.anyOf = [Object.fromEntries(bounds), text];
};

/** The JSON Schema of numbers as people write them: one that is not whole may be a fraction such as `"8/255"`. */
export const settingsJsonSchema = (schema: z.ZodType): Readonly<Record<string, unknown>> =>
  z.toJSONSchema(schema, { io: 'input', override: allowFractions });
