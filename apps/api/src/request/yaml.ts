/**
 * YAML 1.2, one document, core schema. The parser recurses over collections (deep enough, it ends the process), compares every key
 * with every other and paints a picture of every error: each is bounded or done here instead.
 */
import { type Document, isScalar, Lexer, LineCounter, Parser, parseDocument, visit } from 'yaml';
import { describe } from './describe.ts';
import { malformed, parsing } from './malformed.ts';
import { checkPlainData } from './plain-data.ts';

/** Collections that may be open at once. */
const maxOpen = 64;

const checkDepth = (text: string): void => {
  const parser = new Parser();
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) if (token.type === 'error') throw malformed(token.message);
    if (parser.stack.length > maxOpen)
      throw malformed(`Expected at most ${maxOpen} open collections, but the YAML nests deeper`);
  }
};

const checkKeys = (document: Document): void => {
  visit(document, {
    Map: (_, { items }) => {
      const keys = new Set<unknown>();
      for (const { key } of items) {
        const name = isScalar(key) ? key.value : key;
        if (keys.has(name)) throw malformed(`Expected every key once, but got ${describe(name)} twice`);
        keys.add(name);
      }
    },
  });
};

/** Throws MALFORMED_BODY. Aliases may not multiply, unknown tags are refused, and so is all that the parser would only have warned of. */
export const parseYaml = (text: string): unknown => {
  checkDepth(text);
  const lines = new LineCounter();
  const value: unknown = parsing('YAML', () => {
    const document = parseDocument(text, {
      schema: 'core',
      stringKeys: true,
      uniqueKeys: false,
      resolveKnownTags: false,
      prettyErrors: false,
      lineCounter: lines,
      logLevel: 'error',
    });
    const fault = document.errors[0] ?? document.warnings[0];
    if (fault) {
      const { line, col } = lines.linePos(fault.pos[0]);
      throw malformed(`Expected YAML, but at line ${line}, column ${col}: ${fault.message}`, fault);
    }
    checkKeys(document);
    return document.toJS({ maxAliasCount: 100 });
  });
  checkPlainData(value);
  return value;
};
