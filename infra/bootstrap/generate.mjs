/** Generates Prisma's typed client from prisma/schema.prisma into packages/db/src/generated. Does nothing when it is up to date. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './process.mjs';

const generated = path.join(root, 'packages/db/src/generated');
const stamp = path.join(generated, '.stamp');

/** The client depends on the schema and on the version of the generator. */
const inputs = () => {
  const prisma = createRequire(path.join(root, 'packages/db/package.json')).resolve('prisma/package.json');
  const hash = createHash('sha256');
  for (const file of [path.join(root, 'prisma/schema.prisma'), prisma]) hash.update(readFileSync(file));
  return { hash: hash.digest('hex'), cli: path.join(path.dirname(prisma), 'build/index.js') };
};

export const generateClient = () => {
  const { hash, cli } = inputs();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return false;
  // `generate` downloads a schema engine that it does not need, unless this names an executable that exists.
  const env = {
    ...process.env,
    PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
    CHECKPOINT_DISABLE: '1',
  };
  try {
    execFileSync(process.execPath, [cli, 'generate'], { cwd: root, env, stdio: 'pipe' });
  } catch (error) {
    throw new Error(`prisma generate failed:\n${error.stdout}\n${error.stderr}`, { cause: error });
  }
  writeFileSync(stamp, hash);
  return true;
};

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url))
  if (generateClient()) console.log('Generated the database client (packages/db/src/generated).');
