import { useEffect, useState } from 'react';

/** Sweep files as YAML. */
export type Yaml = {
  /** Short lists stay on one line, as one writes them by hand. */
  readonly write: (definition: object) => string;
  /** Throws with line and column where it is not YAML. What it means is the schema's to say. */
  readonly parse: (text: string) => unknown;
};

/** The writer and parser are a chunk of their own, fetched when they are first wanted. */
export const loadYaml = async (): Promise<Yaml> => {
  const { Document, isSeq, parse, visit } = await import('yaml');
  return {
    write: (definition) => {
      const document = new Document(definition);
      visit(document, {
        Seq: (_, node) => {
          if (isSeq(node) && node.items.every((item) => 'value' in (item as object))) node.flow = true;
        },
      });
      return document.toString({ lineWidth: 100 });
    },
    parse: (text) => parse(text) as unknown,
  };
};

export const definitionYaml = async (definition: object): Promise<string> =>
  (await loadYaml()).write(definition);

/** A value as YAML; null until the writer has been fetched. `key` says when the value is another. */
export const useYaml = (value: object, key: string): string | null => {
  const [text, setText] = useState<string | null>(null);
  // The key stands for the value.
  useEffect(() => {
    let current = true;
    void definitionYaml(value).then((yaml) => current && setText(yaml));
    return () => {
      current = false;
    };
  }, [key]);
  return text;
};
