/** `npm run libraries [-- FOLDER]`: packs the libraries that other people can install, by default into tools/pack/dist. */
import { mkdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { libraries, root } from './libraries.ts';
import { pack } from './pack.ts';

const [target = join(root, 'tools/pack/dist')] = process.argv.slice(2);
mkdirSync(target, { recursive: true });
for (const library of libraries) console.log(relative(process.cwd(), await pack(library, target)));
