import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTracer, sweepContext } from '../src/tracing.ts';

type SentSpan = {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: { key: string; value: object }[];
  links: { traceId: string; spanId: string }[];
  status: { code?: number; message?: string };
};
type Body = {
  resourceSpans: {
    resource: { attributes: { key: string; value: object }[] };
    scopeSpans: { spans: SentSpan[] }[];
  }[];
};

describe('a tracer', () => {
  let server: Server;
  let endpoint = '';
  let status = 200;
  let requests: { url: string; type: string; body: Body }[] = [];

  beforeEach(async () => {
    requests = [];
    status = 200;
    server = createServer(async (request, response) => {
      let text = '';
      for await (const chunk of request) text += chunk;
      requests.push({
        url: request.url ?? '',
        type: request.headers['content-type'] ?? '',
        body: JSON.parse(text),
      });
      response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  afterEach(() => server.close());

  const spans = (): SentSpan[] =>
    requests.flatMap(({ body }) =>
      body.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)),
    );

  it('sends a sweep, its attempt and an epoch as one trace in OTLP', async () => {
    const tracer = createTracer({ endpoint, resource: { 'service.name': 'funnel-test' } });
    const sweep = tracer.start('submit', { context: sweepContext('s-1'), kind: 'server' });
    sweep.end({ attributes: { 'funnel.trials': 18 } });
    // Computed from the sweep's id alone, as in another process and at a later time.
    const attempt = tracer.start('attempt', {
      parent: sweepContext('s-1'),
      links: [sweepContext('s-2')],
      attributes: { 'funnel.rate': 0.5, 'funnel.masked': false, 'funnel.nothing': null },
    });
    const epoch = tracer.start('epoch', { parent: attempt.context, start: 1_700_000_000_123.5 });
    epoch.end();
    attempt.end({ error: 'out of memory' });
    await tracer.close();

    expect(requests).toHaveLength(1);
    expect(requests[0]).toMatchObject({
      url: '/v1/traces',
      type: 'application/json',
      body: {
        resourceSpans: [
          { resource: { attributes: [{ key: 'service.name', value: { stringValue: 'funnel-test' } }] } },
        ],
      },
    });
    const [submit, train, run] = spans();
    expect(submit).toMatchObject({ ...sweepContext('s-1'), kind: 2, status: {} });
    expect(submit).not.toHaveProperty('parentSpanId');
    expect(submit?.attributes).toEqual([{ key: 'funnel.trials', value: { intValue: '18' } }]);
    expect(run).toMatchObject({
      traceId: submit?.traceId,
      parentSpanId: submit?.spanId,
      links: [sweepContext('s-2')],
      status: { code: 2, message: 'out of memory' },
    });
    expect(run?.attributes).toEqual([
      { key: 'funnel.rate', value: { doubleValue: 0.5 } },
      { key: 'funnel.masked', value: { boolValue: false } },
    ]);
    expect(train).toMatchObject({ traceId: run?.traceId, parentSpanId: run?.spanId });
    expect(train?.startTimeUnixNano).toBe('1700000000123500000');
    expect(BigInt(train!.endTimeUnixNano)).toBeGreaterThan(BigInt(train!.startTimeUnixNano));
    for (const { traceId, spanId } of spans()) {
      expect(traceId).toMatch(/^[0-9a-f]{32}$/);
      expect(spanId).toMatch(/^[0-9a-f]{16}$/);
    }
  });

  it('ends a span once, and sends many spans in several requests', async () => {
    const tracer = createTracer({ endpoint, resource: {} });
    for (let number = 0; number < 600; number++) {
      const span = tracer.start(`span ${number}`);
      span.end();
      span.end();
    }
    await tracer.close();
    expect(spans()).toHaveLength(600);
    expect(new Set(spans().map(({ spanId }) => spanId)).size).toBe(600);
    expect(requests.length).toBe(3);
  });

  it('reports once that a collector refuses spans, and continues', async () => {
    status = 503;
    const complaints: string[] = [];
    const tracer = createTracer({
      endpoint,
      resource: {},
      onError: ({ message }) => complaints.push(message),
    });
    for (let number = 0; number < 300; number++) tracer.start('span').end();
    await tracer.close();
    expect(complaints).toEqual([`Expected ${endpoint}v1/traces to accept spans, but it answered 503`]);
  });

  it('continues when there is no collector', async () => {
    server.close();
    const complaints: Error[] = [];
    const tracer = createTracer({
      endpoint: 'http://127.0.0.1:1',
      resource: {},
      onError: (error) => complaints.push(error),
    });
    tracer.start('span').end();
    await tracer.close();
    expect(complaints).toHaveLength(1);
  });

  it('sends nothing without an endpoint, and still gives spans a context', async () => {
    const tracer = createTracer({ endpoint: undefined, resource: {} });
    const span = tracer.start('span', { parent: sweepContext('s-1') });
    span.end();
    await tracer.close();
    expect(span.context.traceId).toBe(sweepContext('s-1').traceId);
    expect(requests).toEqual([]);
  });
});

describe('sweepContext', () => {
  it('is the same in every process, and differs between sweeps', () => {
    expect(sweepContext('s-1')).toEqual(sweepContext('s-1'));
    expect(sweepContext('s-1').traceId).not.toBe(sweepContext('s-2').traceId);
  });
});
