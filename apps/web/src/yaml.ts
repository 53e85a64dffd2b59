/** Sweep files as YAML. The writer and parser are a chunk of their own, fetched when they are first wanted. */
const load = () => import('yaml');

/** Short lists stay on one line, as one writes them by hand. */
export const definitionYaml = async (definition: object): Promise<string> => {
  const { Document, isSeq, visit } = await load();
  const document = new Document(definition);
  visit(document, {
    Seq: (_, node) => {
      if (isSeq(node) && node.items.every((item) => 'value' in (item as object))) node.flow = true;
    },
  });
  return document.toString({ lineWidth: 100 });
};

/** Parses text; throws with line and column where it is not YAML. What it means is the schema's to say. */
export const parseYaml = async (text: string): Promise<unknown> => {
  const { parse } = await load();
  return parse(text) as unknown;
};
