import { useEffect, useState } from 'react';

/** Writes and reads sweep files. */
export type Yaml = {
  /** Lists of plain values stay on one line. */
  readonly write: (definition: object) => string;
  /** Throws with line and column if the text is not YAML. It does not check the definition. */
  readonly parse: (text: string) => unknown;
};

/** Loads the `yaml` package, which is a chunk of its own. */
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

/** A value as YAML; null until the package has loaded. `key` identifies the value. */
export const useYaml = (value: object, key: string): string | null => {
  const [text, setText] = useState<string | null>(null);
  // The key identifies the value.
  useEffect(() => {
    let current = true;
    void definitionYaml(value).then((yaml) => current && setText(yaml));
    return () => {
      current = false;
    };
  }, [key]);
  return text;
};
