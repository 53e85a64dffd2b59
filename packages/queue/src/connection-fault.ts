/**
 * What broke a connection, in words that say what to do. The driver's own errors carry the command that failed, which for a refused
 * password is the password: they go nowhere.
 */
const words: readonly (readonly [RegExp, string])[] = [
  [/^WRONGPASS|invalid password/, 'it refuses the user or the password: check both in REDIS_URL'],
  [
    /^NOAUTH|Authentication required/,
    'it wants a password: put it into REDIS_URL (redis://user:password@host)',
  ],
  [/^NOPERM/, 'the user of REDIS_URL may not do what a queue does: give it ~* &* +@all'],
  [
    /self-signed certificate|unable to (verify|get)|certificate signature failure/,
    'its certificate is of an authority that is not known here: name the file of that authority in REDIS_URL (rediss://…?sslrootcert=/path/to/ca.crt)',
  ],
  [
    /does not match certificate's altnames/,
    'its certificate is for another name: use that name in REDIS_URL',
  ],
  [/certificate has expired|not yet valid/, 'its certificate is not valid now: renew it, or check the clock'],
  [
    /wrong version number|packet length too long|EPROTO|before secure TLS connection/,
    'it does not speak TLS on this port: use redis:// in REDIS_URL, or its TLS port',
  ],
  [
    /ECONNRESET|EPIPE|Connection is closed/,
    'it closed the connection: it may have ended; a port that wants TLS does so to redis:// (then use rediss:// in REDIS_URL)',
  ],
];

/** A new error: its message holds neither user nor password, and it has no cause. */
export const redisFault = ({ message }: Error): Error => {
  const advice = words.find(([pattern]) => pattern.test(message))?.[1];
  return new Error(advice ? `Redis answers, but ${advice}` : `Redis cannot be reached: ${message}`);
};
