import { describe, expect, test } from 'vitest';
import { createEventStreamParser } from '../src/event-stream-parser.ts';

const text =
  'retry: 2000\nid: 7\n:\n\nid: 8\r\ndata: {"a":1}\r\n\r\n: beat\n\ndata:first\ndata: second\r\rid: 9\n\ndata: cut off';
const blocks = [
  { retry: 2000, id: '7' },
  { id: '8', data: '{"a":1}' },
  {},
  { data: 'first\nsecond' },
  { id: '9' },
];

describe('createEventStreamParser', () => {
  test('reads blocks as the standard says', () => {
    expect(createEventStreamParser()(text)).toEqual(blocks);
  });

  test('gives the same blocks wherever the text is cut', () => {
    for (let first = 0; first <= text.length; first++)
      for (const second of [first, Math.min(first + 1, text.length), text.length]) {
        const parse = createEventStreamParser();
        const pieces = [text.slice(0, first), text.slice(first, second), text.slice(second)];
        expect(pieces.flatMap((piece) => parse(piece))).toEqual(blocks);
      }
  });
});
