/** 128 random bits in hex. `crypto.randomUUID` exists only where the page is served securely; this does everywhere. */
export const randomKey = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
