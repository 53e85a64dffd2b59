/** The headers of every answer, also of a refusal: the id of the request, and limits for browsers. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import helmet from 'helmet';

/** The dashboard and /docs load all of their parts from this service, so browsers may load nothing from elsewhere. */
const setSecurityHeaders = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'self'"],
      // tfjs-wasm in the browser compiles its kernels.
      scriptSrc: ["'self'", "'wasm-unsafe-eval'"],
      // Charts and /docs set styles on elements.
      styleSrc: ["'self'", "'unsafe-inline'"],
      imgSrc: ["'self'", 'data:', 'blob:'],
      fontSrc: ["'self'", 'data:'],
      workerSrc: ["'self'", 'blob:'],
      objectSrc: ["'none'"],
      baseUri: ["'none'"],
      formAction: ["'self'"],
      frameAncestors: ["'none'"],
    },
  },
  frameguard: { action: 'deny' },
  referrerPolicy: { policy: 'no-referrer' },
  // The proxy that adds TLS sets this header; browsers ignore it over plain HTTP.
  strictTransportSecurity: false,
});

export const setAnswerHeaders = (request: FastifyRequest, reply: FastifyReply): void => {
  reply.raw.setHeader('x-request-id', request.id);
  setSecurityHeaders(request.raw, reply.raw, (error) => {
    if (error) throw error;
  });
};

const answerHeaders = async (app: FastifyInstance): Promise<void> => {
  app.addHook('onRequest', async (request, reply) => setAnswerHeaders(request, reply));
};

/** Comes before every plugin whose hooks may refuse a request: a hook that refuses keeps later hooks from running. */
export const answerHeadersPlugin = fp(answerHeaders, { name: 'answer-headers' });
