/**
 * Reads bytes as bytes. In the rows of a query, the driver gets them as hexadecimal text, which takes several times the memory and the time.
 * The answer to COPY in its binary format has them as they are: https://www.postgresql.org/docs/current/sql-copy.html
 */
import pg from 'pg';

/** Before the first row: a signature of 11 bytes, 4 of flags, and the length of an extension, which is 0. */
const headBytes = 19;
/** Before the value of a row with one column: the number of columns (16 bits), and the length of the value (32 bits). */
const rowHeadBytes = 6;
/** The length of NULL. */
const nullLength = -1;
/** Stands in the place of the number of columns after the last row. */
const end = -1;

/** The server sends each row as one message. The bytes are the driver's: they change with the next message. */
const createRowReader = (take: (value: Buffer) => void): ((message: Buffer) => void) => {
  let isFirst = true;
  return (message) => {
    const row = isFirst ? message.subarray(headBytes) : message;
    isFirst = false;
    if (row.length === 0 || row.readInt16BE(0) === end) return;
    const length = row.readInt32BE(2);
    if (length !== nullLength) take(row.subarray(rowHeadBytes, rowHeadBytes + length));
  };
};

/** The driver's query, which ignores the data of COPY. */
class CopyQuery extends pg.Query {
  readonly #read: (message: Buffer) => void;

  constructor(text: string, read: (message: Buffer) => void, ended: (error: Error | undefined) => void) {
    super(text, ended);
    this.#read = read;
  }

  /** The driver calls this. */
  handleCopyData({ chunk }: { readonly chunk: Buffer }): void {
    this.#read(chunk);
  }
}

export type CopyClient = { query<Query extends pg.Submittable>(query: Query): Query };

/**
 * Passes the value of each row of `select` to `take`, which must copy what it keeps; skips NULL. `select` has one column, of the type bytea,
 * and no parameters. Throws the errors of the driver, and the first error of `take`.
 */
export const copyBytes = (client: CopyClient, select: string, take: (value: Buffer) => void): Promise<void> =>
  new Promise((resolve, reject) => {
    let fault: { readonly error: unknown } | undefined;
    const readRow = createRowReader(take);
    const read = (message: Buffer): void => {
      if (fault) return;
      try {
        readRow(message);
      } catch (error) {
        fault = { error }; // thrown here, it would end the process
      }
    };
    const ended = (error: Error | undefined): void => {
      if (error) reject(error);
      else if (fault) reject(fault.error);
      else resolve();
    };
    client.query(new CopyQuery(`COPY (${select}) TO STDOUT (FORMAT binary)`, read, ended));
  });
