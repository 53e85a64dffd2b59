/** `npm run libraries [-- FOLDER]`: packs the libraries that other people can install, by default into tools/pack/dist. */
import { mkdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { readArguments, refuseArguments } from '../../../infra/bootstrap/usage.mjs';
import { libraries, root } from './libraries.ts';
import { pack } from './pack.ts';

const usage = `npm run libraries [-- FOLDER]
  Packs @funnel/attacks and @funnel/client into the folder. (Default: tools/pack/dist)`;

const { positionals } = readArguments(usage, { allowPositionals: true });
if (positionals.length > 1) refuseArguments(`Expected one folder, but got ${positionals.join(', ')}`, usage);
const [target = join(root, 'tools/pack/dist')] = positionals;
mkdirSync(target, { recursive: true });
for (const library of libraries) console.log(relative(process.cwd(), await pack(library, target)));
