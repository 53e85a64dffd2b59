/** Serves the pages with made-up data, for work on them: `node --import tsx apps/web/test/fake-api/main.ts`. */
import { fileURLToPath } from 'node:url';
import { populate } from './populate.ts';
import { startFakeApi } from './server.ts';
import { createWorld } from './world.ts';

const world = createWorld();
populate(world);
const api = await startFakeApi(world, { dist: fileURLToPath(new URL('../../dist', import.meta.url)) });
process.stdout.write(`${api.url}\n`);
const live = world.sweeps.get('live')!;
setInterval(() => world.finishTrial(live), 1500);
