/**
 * Sweep files as text. One reader for the API and the command line: YAML 1.2 with the core schema and merge keys, of which JSON is a part.
 * Top-level keys that begin with `x-` are a place for anchors, and are left out.
 */
import {
  type Document,
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
const checkKeys = (document: Document): void => {
  visit(document, {
    Map: (_, { items }) => {
      const keys = new Set<unknown>();
      for (const { key } of items) {
        const name = isScalar(key) ? key.value : key;
        if (keys.has(name)) throw fault(`Expected every key once, but got ${show(name)} twice`);
        keys.add(name);
      }
    },
  });
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

const parse = (text: string): Document => {
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
  if (!found) return document;
  const { line, col } = lines.linePos(found.pos[0]);
  throw found.code === 'MULTIPLE_DOCS'
    ? fault(
        `Expected one document, but a second one begins at line ${line}. Put each sweep into a file of its own.`,
      )
    : fault(`Expected YAML, but at line ${line}, column ${col}: ${found.message}`, found);
};

/** Whether a list or a mapping is a part of itself: an alias may stand inside of what it stands for. */
const isCyclic = (value: unknown, open = new Set<unknown>(), done = new Set<unknown>()): boolean => {
  if (typeof value !== 'object' || value === null || done.has(value)) return false;
  if (open.has(value)) return true;
  open.add(value);
  const found = Object.values(value).some((member) => isCyclic(member, open, done));
  open.delete(value);
  done.add(value);
  return found;
};

/**
 * The value of one document. `edit` may change the document before it is read. Throws MALFORMED_BODY for text that is not YAML, and also for:
 * deep nesting; duplicate keys; unknown tags; aliases that make the value much larger than the text, or a part of itself; everything that the
 * parser warns of.
 * Throws INVALID_REQUEST for numbers that are not finite.
 */
export const readSweepYaml = (text: string, edit: (document: Document) => void = () => {}): unknown => {
  checkDepth(text);
  const document = parse(text);
  checkKeys(document);
  edit(document);
  checkNumbers(document);
  for (const path of textPaths) keepAsText(document.getIn(path, true));
  try {
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    if (isCyclic(value))
      throw new Error('an alias stands inside of the value that it stands for, so the value has no end');
    // After the reading: the anchors of a part that is left out are used elsewhere.
    return isMap(document.contents) ? withoutLeftOut(value as object) : value;
  } catch (error) {
    throw fault(`Expected YAML, but: ${error instanceof Error ? error.message : String(error)}`, error);
  }
};
