import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { databaseAddress, queueAddress } from '../src/connection/addresses.ts';

/** The driver's interpretation of an address. */
const read = (address: string) => {
  const { host, port, user, password, database, ssl } = new pg.Client(databaseAddress(address));
  return { host, port, user, password, database, ssl };
};

describe('databaseAddress', () => {
  test.each([
    ['postgres://a:b@h/d', { host: 'h', port: 5432, user: 'a', password: 'b', database: 'd', ssl: false }],
    ['postgresql://a:p%40s%2F%25@h:6000/d', { port: 6000, password: 'p@s/%' }],
    ['postgres://a:two words@h/d', { password: 'two words' }],
    ['postgres://a:b@[::1]:6000/d', { host: '::1', port: 6000 }],
    ['postgres://a:b@h/d?sslmode=disable', { ssl: false }],
    ['postgres://a:b@h/d?sslmode=no-verify', { ssl: { rejectUnauthorized: false } }],
    [
      'postgres://a:b@/d?host=/run/postgresql',
      { host: '/run/postgresql', user: 'a', password: 'b', database: 'd' },
    ],
    ['postgres:///d?host=/run/postgresql&user=a', { host: '/run/postgresql', user: 'a', database: 'd' }],
  ])('the driver reads %s without changes', (address, expected) => {
    expect(read(address)).toMatchObject(expected);
  });

  test.each(['verify-full', 'verify-ca', 'require', 'prefer'])(
    'with sslmode=%s the driver verifies the certificate and gives no warning',
    (mode) => {
      const address = databaseAddress(`postgres://a:b@h/d?sslmode=${mode}&sslrootcert=system`);
      expect(address).toBe('postgres://a:b@h/d?sslmode=verify-full');
      expect(read(address).ssl).toEqual({}); // no options: Node's default checks apply
    },
  );

  test.each(['', 'h', 'mysql://a:hidden@h/d', 'postgres://a:hidden@h:port/d', 'postgres://a:hid/hidden@h/d'])(
    'refuses %j without repeating the password',
    (address) => {
      let error: unknown;
      try {
        databaseAddress(address);
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toMatchObject({
        code: 'UNAVAILABLE',
        message: expect.stringContaining('Expected DATABASE_URL'),
      });
      expect(JSON.stringify(error) + String(error)).not.toContain('hidden');
    },
  );
});

describe('queueAddress', () => {
  const database = 'postgres://a:b@h/d';
  const direct = { url: database, name: 'DATABASE_URL' } as const;

  test('is the address of the database when REDIS_URL is not set', () => {
    expect(queueAddress(undefined, direct)).toMatchObject({ url: database });
  });

  test.each(['redis://:p@h:6379/', 'rediss://h', 'not an address'])('leaves %s to the queue', (url) => {
    expect(queueAddress(url, direct)).toEqual({ url });
  });

  test('treats the address of another PostgreSQL like the address of the database', () => {
    const { url, explain } = queueAddress('postgres://q:b@h/d?sslmode=require&sslrootcert=system', direct);
    expect(url).toBe('postgres://q:b@h/d?sslmode=verify-full');
    const told = explain!(
      Object.assign(new Error('no such password'), { code: '28P01', client: { password: 'b' } }),
    );
    expect(told).toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('refuses the user or the password: check both in REDIS_URL'),
      details: { part: 'queue' },
    });
    expect(told.cause).not.toHaveProperty('client');
  });

  test.each([
    ['postgres://a:hidden@h:port/d', 'Expected REDIS_URL to be postgres://'],
    ['postgres://a:hidden@h/d?sslmode=full', 'Expected sslmode in REDIS_URL to be one of'],
    [
      'postgres://a:hidden@h/d?sslmode=verify-full&sslcert=/nowhere',
      'Expected the file of sslcert in REDIS_URL',
    ],
  ])('refuses %s and names the variable', (url, words) => {
    const refused = () => queueAddress(url, direct);
    expect(refused).toThrow(
      expect.objectContaining({ code: 'UNAVAILABLE', message: expect.stringContaining(words) }),
    );
    expect(refused).not.toThrow(expect.objectContaining({ message: expect.stringContaining('hidden') }));
  });
});
