import { describe, expect, test } from 'vitest';
import { createPlaces, shareOfOneCaller } from '../../src/events/places.ts';

describe('places among the streams', () => {
  test('one caller has no more than its share, and the others still have theirs', () => {
    const places = createPlaces({ inAll: 5, ofOneCaller: 2 });
    places.take('a');
    places.take('a');
    expect(() => places.take('a')).toThrow(expect.objectContaining({ code: 'TOO_MANY_OWN_STREAMS' }));
    places.take('b');
    places.take('b');
    places.take('c');
    expect(() => places.take('c')).toThrow(expect.objectContaining({ code: 'TOO_MANY_STREAMS' }));
    // Told what they themselves can change.
    expect(() => places.take('a')).toThrow(expect.objectContaining({ code: 'TOO_MANY_OWN_STREAMS' }));
  });

  test('who needs no token is counted among all only', () => {
    const places = createPlaces({ inAll: 4, ofOneCaller: 1 });
    for (let i = 0; i < 4; i++) places.take(null);
    expect(() => places.take(null)).toThrow(expect.objectContaining({ code: 'TOO_MANY_STREAMS' }));
  });

  test('a place is given back once, however often that is said', () => {
    const places = createPlaces({ inAll: 2, ofOneCaller: 1 });
    const leave = places.take('a');
    places.take('b');
    leave();
    leave();
    places.take('a');
    for (const caller of ['a', 'b'])
      expect(() => places.take(caller)).toThrow(expect.objectContaining({ code: 'TOO_MANY_OWN_STREAMS' }));
    expect(() => places.take('c')).toThrow(expect.objectContaining({ code: 'TOO_MANY_STREAMS' }));
  });

  test.each([
    [500, 125],
    [3, 8],
    [40, 10],
  ])('of %d, one caller may have %d', (inAll, ofOne) => {
    expect(shareOfOneCaller(inAll)).toBe(ofOne);
  });
});
