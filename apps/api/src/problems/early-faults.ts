/** Requests so broken that no route sees them: answered in the same form all the same. */
import type { Socket } from 'node:net';
import { AppError, errors } from '@funnel/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { problemType } from './register-problems.ts';
import { asAppError, toProblem } from './to-problem.ts';

/** An address that does not decode, a parameter that is too long. */
export const answerFrameworkError = (thrown: unknown, request: FastifyRequest, reply: FastifyReply): void => {
  const error = asAppError(thrown);
  const problem = JSON.stringify(toProblem(error, request.id));
  reply.code(errors[error.code].status).type(problemType).send(problem);
};

/** Node's codes of what has a status of its own. */
const statuses: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** What is not HTTP, too large in its headers, or too slow to arrive. */
export const answerClientError = (fault: NodeJS.ErrnoException, socket: Socket): void => {
  if (fault.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const line = statuses[fault.code ?? ''] ?? '400 Bad Request';
  const problem = toProblem(new AppError('INVALID_REQUEST', `Expected HTTP, but: ${fault.message}`));
  const body = JSON.stringify({ ...problem, status: Number(line.slice(0, 3)) });
  socket.end(
    `HTTP/1.1 ${line}\r\nContent-Type: ${problemType}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
};
