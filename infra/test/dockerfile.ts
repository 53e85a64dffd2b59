/** The stages of a Dockerfile, and the instructions of each. */
import { DockerfileParser, type Instruction } from 'dockerfile-ast';

export type Stage = {
  readonly name: string;
  /** Its base: an image, or an earlier stage. */
  readonly base: string;
  readonly instructions: readonly Instruction[];
};

export const stagesOf = (text: string): readonly Stage[] => {
  const instructions = DockerfileParser.parse(text).getInstructions();
  const starts = instructions.flatMap((instruction, index) =>
    instruction.getKeyword() === 'FROM' ? [index] : [],
  );
  return starts.map((start, number) => {
    const words = instructions[start]!.getArguments().map((argument) => argument.getValue());
    return {
      base: words[0] ?? '',
      name: words[2] ?? '',
      instructions: instructions.slice(start + 1, starts[number + 1]),
    };
  });
};
