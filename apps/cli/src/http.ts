/**
 * `fetch` over node:http. A command asks one or two questions and ends: Node's own `fetch` compiles its HTTP parser from WebAssembly first,
 * which takes more CPU time than everything else that `funnel ls` does (docs/adr/0014-built-command-line.md).
 */
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { Readable } from 'node:stream';

/** Statuses whose answer has no body: `Response` refuses one. */
const withoutBody = [204, 205, 304];

/** Takes an address, and a body only as text, as @funnel/client does. A redirection is followed by Node's own `fetch`. */
export const fetchOnce: typeof fetch = (input, init = {}) =>
  new Promise((resolve, reject) => {
    const { method, headers, body, signal } = init;
    const url = new URL(String(input));
    const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(
      url,
      { method, headers: Object.fromEntries(new Headers(headers)), signal: signal ?? undefined },
      (answer) => {
        const { statusCode: status = 0, headers: fields } = answer;
        if (status >= 300 && status < 400 && fields.location !== undefined) {
          answer.resume();
          resolve(fetch(input, init));
          return;
        }
        const pairs = Object.entries(fields).flatMap(([name, value]) =>
          [value ?? []].flat().map((one): [string, string] => [name, one]),
        );
        const content = withoutBody.includes(status) ? null : Readable.toWeb(answer);
        resolve(new Response(content as ReadableStream | null, { status, headers: pairs }));
      },
    );
    // Of a name with several addresses: why the first could not be reached.
    request.on('error', (error) => reject(error instanceof AggregateError ? error.errors[0] : error));
    request.end(body ?? undefined);
  });
