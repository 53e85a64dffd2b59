import { revokeToken } from '@funnel/db';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { addToken, build, type TestApp, tokenOf } from '../build.ts';

let api: TestApp;
let url: string;
beforeAll(async () => {
  api = await build({ watchStreamsSeconds: 0.1 });
  url = await api.app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(() => api.close());

const open = async (token?: string) => {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(`${url}/v1/events`, { headers });
  expect(response.status).toBe(200);
  const reader = response.body!.getReader();
  await reader.read(); // the greeting
  return { ended: reader.read().then(({ done }) => done), cancel: () => reader.cancel() };
};
/** A stream that is destroyed in the middle of a chunk is an error to its reader. */
const isOver = (ended: Promise<boolean>): Promise<boolean> => ended.catch(() => true);

test('a stream ends when its token is revoked, others go on; one opened without a token ends with the first token', async () => {
  const anybody = await open();
  await addToken(api.db, 'read');
  await addToken(api.db, 'admin');
  expect(await isOver(anybody.ended)).toBe(true);
  const [reader, admin] = [await open(tokenOf('read')), await open(tokenOf('admin'))];
  await revokeToken(api.db, 'a read');
  expect(await isOver(reader.ended)).toBe(true);
  expect(await Promise.race([admin.ended, fetch(`${url}/healthz`).then(() => 'goes on')])).toBe('goes on');
  await admin.cancel();
});
