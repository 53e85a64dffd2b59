/**
 * A `fetch` for @funnel/client over node:http. A command sends one or two requests and ends. Node's own `fetch` first compiles an HTTP
 * parser from WebAssembly, which takes more CPU time than the rest of `funnel ls` (docs/adr/0014-built-command-line.md).
 */
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { Readable } from 'node:stream';
import type { Answer, Fetch } from '@funnel/client';

/** Milliseconds without a byte. Every answer comes earlier (`answerSeconds`), and event streams have a heartbeat every 15 s. */
const idleMs = 60_000;

const readAll = async (message: IncomingMessage): Promise<Buffer<ArrayBuffer>> => {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk);
  return Buffer.concat(chunks);
};

const toAnswer = (url: string, message: IncomingMessage): Answer => {
  const { statusCode: status = 0, headers } = message;
  const text = async (): Promise<string> => (await readAll(message)).toString();
  return {
    url,
    status,
    ok: status >= 200 && status < 300,
    headers: { get: (name) => headers[name]?.toString() ?? null },
    get body() {
      return Readable.toWeb(message) as ReadableStream<Uint8Array<ArrayBuffer>>; // Buffers are Uint8Arrays.
    },
    text,
    json: async () => JSON.parse(await text()),
    arrayBuffer: async () => new Uint8Array(await readAll(message)).buffer,
  };
};

/** `timeout`: milliseconds without a byte, after which the request fails. */
export const fetchOverHttp = (
  address: string,
  init: Parameters<Fetch>[1],
  timeout = idleMs,
): ReturnType<Fetch> =>
  new Promise((resolve, reject) => {
    const { body, ...options } = init;
    const request = (address.startsWith('https:') ? requestHttps : requestHttp)(
      address,
      options,
      (message) => {
        const { statusCode = 0, headers } = message;
        if (statusCode < 300 || statusCode >= 400 || headers.location === undefined)
          return resolve(toAnswer(address, message));
        // Redirections are rare, and Node's own `fetch` can follow them.
        message.resume();
        resolve(fetch(address, init));
      },
    );
    request.setTimeout(timeout, () => request.destroy(new Error(`no byte has come for ${timeout / 1000} s`)));
    // If every address of a host name refuses the connection, report only the first error.
    request.on('error', (error) => reject(error instanceof AggregateError ? error.errors[0] : error));
    // Bytes, because Node joins a text with the headers and writes both as UTF-8; headers are Latin-1.
    request.end(body && Buffer.from(body));
  });
