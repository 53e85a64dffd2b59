/** What browsers are told about every answer. The dashboard and /docs bring all of their parts themselves, so nothing else is let in. */
import helmet from '@fastify/helmet';
import type { FastifyInstance } from 'fastify';

export const registerSecurityHeaders = async (app: FastifyInstance): Promise<void> => {
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        // tfjs-wasm in the browser compiles its kernels.
        scriptSrc: ["'self'", "'wasm-unsafe-eval'"],
        // Charts and the pages of /docs set styles on elements.
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
    // Whoever puts TLS in front says so there; over plain HTTP browsers ignore it.
    strictTransportSecurity: false,
  });
};
