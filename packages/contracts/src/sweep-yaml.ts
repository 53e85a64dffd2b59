/**
 * Sweep files as text. One reader for the API and the command line: YAML 1.2 with the core schema and merge keys, of which JSON is a part.
 * Top-level keys that begin with `x-` are a place for anchors, and are left out.
 */
import {
  type Document,
  type ErrorCode,
  isMap,
  isPair,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  Parser,
  parseDocument,
  visit,
} from 'yaml';
import { AppError } from './errors.ts';
import { hyperparameterDeclaration, hyperparameterNames } from './hyperparameters.ts';

/** Characters of a message. The parser quotes the text that it could not read, which may be the whole file. */
const maxMessage = 500;
const fault = (message: string, cause?: unknown): AppError => {
  const text = message.length > maxMessage ? `${message.slice(0, maxMessage)}…` : message;
  return new AppError('MALFORMED_BODY', text, {}, { cause });
};

/** Characters of a value that an error text shows. */
const maxShown = 100;
const show = (value: unknown): string => JSON.stringify(String(value).slice(0, maxShown));

/** The text of a file or a request. Throws MALFORMED_BODY for bytes that are no UTF-8. */
export const decodeText = (bytes: Uint8Array): string => {
  const isUtf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  if (isUtf16) throw fault('Expected text in UTF-8, but got UTF-16. Save it as UTF-8.');
  if (bytes.includes(0))
    throw fault('Expected text in UTF-8, but got a binary file. Give a sweep file in YAML or JSON.');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw fault(
      'Expected text in UTF-8, but got other bytes, such as those of Latin-1. Save it as UTF-8.',
      error,
    );
  }
};

/** The largest number of levels of nesting. */
const maxOpen = 64;

/** Throws MALFORMED_BODY for deep nesting: the parser recurses, and deep enough text would end the process. */
const checkDepth = (text: string): void => {
  const parser = new Parser();
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) if (token.type === 'error') throw fault(token.message);
    if (parser.stack.length > maxOpen)
      throw fault(`Expected at most ${maxOpen} levels, but the YAML is nested deeper`);
  }
};

/** Throws MALFORMED_BODY for duplicate keys. The parser's own check is too slow: it compares every key with every other one. */
const checkKeys = (document: Document, lines: LineCounter): void => {
  visit(document, {
    Map: (_, { items }) => {
      const starts = new Map<unknown, number>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        const [start = 0] = key.range ?? [];
        const first = starts.get(key.value);
        if (first !== undefined) {
          const [line, again] = [first, start].map((offset) => lines.linePos(offset).line);
          const where = line === again ? `at line ${line}` : `at lines ${line} and ${again}`;
          throw fault(
            `Expected every key once, but got ${show(key.value)} twice, ${where}. Keep one of them.`,
          );
        }
        starts.set(key.value, start);
      }
    },
  });
};

/** Throws MALFORMED_BODY for an alias without its anchor above, and for one inside of what it stands for, whose value would have no end. */
const checkAliases = (document: Document, lines: LineCounter): void => {
  const anchors = new Map<string, unknown>();
  visit(document, {
    Value: (_, node) => {
      if (node.anchor !== undefined) anchors.set(node.anchor, node);
    },
    Alias: (_, { source, range }, ancestors) => {
      const target = anchors.get(source);
      const { line } = lines.linePos(range?.[0] ?? 0);
      if (target === undefined)
        throw fault(`Expected an anchor &${source} above line ${line}, where *${source} stands for it`);
      if ((ancestors as readonly unknown[]).includes(target))
        throw fault(
          `Expected *${source} at line ${line} outside of the part that it stands for, or the value has no end`,
        );
    },
  });
};

/** What to do about the faults of YAML that are found most often, by their code in the parser. */
const remedies: Readonly<Partial<Record<ErrorCode, string>>> = {
  TAB_AS_INDENT: 'Indent with spaces.',
  BAD_INDENT: 'Indent the keys of one part by the same number of spaces.',
  BLOCK_AS_IMPLICIT_KEY:
    'Put a text with a colon and a space in quotes, and the keys of a part on lines of their own.',
  MULTILINE_IMPLICIT_KEY:
    'Write KEY: VALUE, and list entries as "- VALUE", with a space after the colon and the dash.',
  BAD_SCALAR_START: 'Put the text in quotes.',
};

/** The places of a sweep whose values are texts. There, `007` and `32` are texts too, although YAML reads them as numbers. */
const textPaths: readonly (readonly string[])[] = [
  ['name'],
  ['description'],
  ...hyperparameterNames
    .filter((name) => hyperparameterDeclaration(name).kind === 'word')
    .map((name) => ['space', name]),
];

/** Makes a text of a number, as it is written in the file. */
const keepAsText = (node: unknown): void => {
  if (isSeq(node)) node.items.forEach(keepAsText);
  else if (isScalar(node) && typeof node.value === 'number' && node.source !== undefined)
    node.value = node.source;
};

/** `space.gamma[1]`: the keys and indices along `nodes`, from the document to a value. */
const pathAlong = (nodes: readonly unknown[]): string => {
  let path = '';
  for (const [i, node] of nodes.entries()) {
    if (isPair(node) && isScalar(node.key)) path += `${path === '' ? '' : '.'}${node.key.value}`;
    if (isSeq(node)) path += `[${node.items.indexOf(nodes[i + 1])}]`;
  }
  return path;
};

/** Throws INVALID_REQUEST for `.inf`, `.nan` and numbers that overflow, which JSON cannot carry. */
const checkNumbers = (document: Document): void => {
  visit(document, {
    Scalar: (_, node, ancestors) => {
      const { value, source } = node;
      if (typeof value !== 'number' || Number.isFinite(value)) return;
      const path = pathAlong([...ancestors, node]);
      const issue = { path, expected: 'a finite number', received: source ?? String(value) };
      const message = `In the body, ${path}: expected ${issue.expected}, but got ${issue.received}`;
      throw new AppError('INVALID_REQUEST', message, { issues: [issue] });
    },
  });
};

/** A key without a value counts as absent, and a key that begins with `x-` is a place for anchors. */
const withoutLeftOut = (value: object): object =>
  Object.fromEntries(
    Object.entries(value).filter(([key, member]) => member !== null && !key.startsWith('x-')),
  );

const parse = (text: string): { readonly document: Document; readonly lines: LineCounter } => {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    schema: 'core',
    merge: true,
    stringKeys: true,
    uniqueKeys: false,
    resolveKnownTags: false,
    prettyErrors: false, // `true` would draw a code frame for every error
    lineCounter: lines,
    logLevel: 'error',
  });
  const found = document.errors[0] ?? document.warnings[0];
  if (!found) return { document, lines };
  const { line, col } = lines.linePos(found.pos[0]);
  throw found.code === 'MULTIPLE_DOCS'
    ? fault(
        `Expected one document, but a second one begins at line ${line}. Put each sweep into a file of its own.`,
      )
    : fault(
        `Expected YAML, but at line ${line}, column ${col}: ${[found.message, remedies[found.code] ?? []].flat().join('. ')}`,
        found,
      );
};

/**
 * The value of one document. `edit` may change the document before it is read. Throws MALFORMED_BODY for text that is not YAML, and also for:
 * deep nesting; duplicate keys; unknown tags; aliases that make the value much larger than the text, or a part of itself; everything that the
 * parser warns of.
 * Throws INVALID_REQUEST for numbers that are not finite.
 */
export const readSweepYaml = (text: string, edit: (document: Document) => void = () => {}): unknown => {
  checkDepth(text);
  const { document, lines } = parse(text);
  checkKeys(document, lines);
  checkAliases(document, lines);
  edit(document);
  checkNumbers(document);
  for (const path of textPaths) keepAsText(document.getIn(path, true));
  try {
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    // After the reading: the anchors of a part that is left out are used elsewhere.
    return isMap(document.contents) ? withoutLeftOut(value as object) : value;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw message.startsWith('Excessive alias count')
      ? fault(
          'Expected few aliases (*NAME), but they repeat more than 100 parts. Write these parts out.',
          error,
        )
      : fault(`Expected YAML, but: ${message}`, error);
  }
};
