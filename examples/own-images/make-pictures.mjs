/**
 * Writes 900 pictures into a folder, with a folder for each class: circle, square, triangle.
 *   node examples/own-images/make-pictures.mjs FOLDER
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { encode } from 'fast-png';
import { classes, drawShape, size } from '../shapes.mjs';

const count = 900;
const [folder] = process.argv.slice(2);
if (!folder)
  throw new Error('Expected a folder to write to: node examples/own-images/make-pictures.mjs FOLDER');

for (const name of classes) mkdirSync(path.join(folder, name), { recursive: true });
for (let index = 0; index < count; index++) {
  const { label, pixels } = drawShape(index);
  const png = encode({ width: size, height: size, channels: 3, data: pixels });
  writeFileSync(path.join(folder, classes[label], `${index}.png`), png);
}
console.log(`${folder}: ${count / classes.length} pictures of each class: ${classes.join(', ')}`);
