import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sweepContext } from '@funnel/tracing';
import { expect, it, onTestFinished } from 'vitest';
import { one, openTestDatabase, submit, sweepEnded, worker } from './fixtures.ts';

type SentSpan = {
  traceId: string;
  spanId: string;
  parentSpanId: string;
  name: string;
  attributes: { key: string; value: { stringValue?: string; intValue?: string } }[];
};

/** A collector that keeps all spans. */
const collector = async () => {
  const spans: SentSpan[] = [];
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    for (const { scopeSpans } of JSON.parse(text).resourceSpans) spans.push(...scopeSpans[0].spans);
    response.end('{}');
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, spans };
};

it('a sweep is one trace: every attempt is below the submission, every epoch below its attempt', async () => {
  const { url, spans } = await collector();
  const db = await openTestDatabase();
  const sweepId = await submit(db);
  const running = await worker(db, { tracesUrl: url });
  await sweepEnded(db, sweepId);
  // The worker sends the last spans when it ends.
  await running.stop();

  const root = sweepContext(sweepId);
  expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([root.traceId]));
  const attempts = spans.filter(({ parentSpanId }) => parentSpanId === root.spanId);
  const { count, epochs } = await one<{ count: number; epochs: number }>(
    db,
    'SELECT count(*)::int AS count, sum(epochs)::int AS epochs FROM attempts',
  );
  expect(attempts).toHaveLength(count);
  const kinds = new Set(attempts.map(({ name }) => name));
  expect(kinds).toEqual(new Set(['initialise', 'optimise', 'classify', 'attack']));
  for (const { attributes } of attempts)
    expect(attributes).toContainEqual({ key: 'funnel.status', value: { stringValue: 'completed' } });

  const ids = new Set(attempts.map(({ spanId }) => spanId));
  const below = spans.filter(({ parentSpanId }) => ids.has(parentSpanId));
  expect(below.length + attempts.length).toBe(spans.length);
  const named = (name: string) => below.filter((span) => span.name === name);
  const ends = named('train').filter(({ attributes }) =>
    attributes.some(({ key, value }) => key === 'funnel.step' && value.intValue === '0'),
  );
  expect(ends.length).toBe(epochs);
  expect(named('store checkpoint')).toHaveLength(named('train').length);
  expect(named('store result')).toHaveLength(count);
  expect(named('load start')).toHaveLength(count);
});
