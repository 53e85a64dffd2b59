/** The text of an event stream, piece by piece: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream */

export type StreamBlock = {
  /** The id that the stream has reached, if this block says so. */
  readonly id?: string;
  /** Absent: nothing to hand on (a comment, a heartbeat). */
  readonly data?: string;
  /** Milliseconds to wait before coming back. */
  readonly retry?: number;
};

const parseBlock = (lines: readonly string[]): StreamBlock => {
  const block: { id?: string; data?: string; retry?: number } = {};
  for (const line of lines) {
    const [, field = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === 'data') block.data = block.data === undefined ? value : `${block.data}\n${value}`;
    if (field === 'id' && !value.includes('\0')) block.id = value;
    if (field === 'retry' && /^\d+$/.test(value)) block.retry = Number(value);
  }
  return block;
};

/** Takes pieces as they come, cut anywhere; answers the blocks that are complete. */
export const createEventStreamParser = (): ((piece: string) => readonly StreamBlock[]) => {
  let rest = '';
  let lines: string[] = [];
  return (piece) => {
    // A CR at the end may be half of a CRLF: it waits for the next piece.
    const text = rest + piece;
    const end = text.endsWith('\r') ? text.length - 1 : text.length;
    const parts = text.slice(0, end).split(/\r\n|\n|\r/);
    rest = parts.pop()! + text.slice(end);
    const blocks: StreamBlock[] = [];
    for (const line of parts) {
      if (line !== '') lines.push(line);
      else if (lines.length > 0) {
        blocks.push(parseBlock(lines));
        lines = [];
      }
    }
    return blocks;
  };
};
