/** The options of commands that take a model, and the model that they name. */
import type { ClassifierModel, LoadOptions, ModelOptions } from '@funnel/attacks';
import { AppError } from '@funnel/contracts';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Context, Service } from '../context.ts';
import { Exit, exitCodes } from '../exit.ts';
import { inFlags } from '../flags.ts';

export type ModelFlags = {
  readonly model?: string;
  readonly bounds?: readonly [number, number];
  readonly fromProbabilities?: boolean;
  readonly output?: string;
  readonly input?: string;
  readonly layout?: 'channels-last' | 'channels-first';
};

/** Reads `0,255`. */
const readBounds = (text: string): readonly [number, number] => {
  const parts = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  const [low, high] = parts;
  if (parts.length !== 2 || !parts.every(Number.isFinite) || !(low! < high!))
    throw new InvalidArgumentError(
      `Expected the lowest and the highest value of a pixel, such as 0,255, but got ${text}`,
    );
  return [low!, high!];
};

/** Adds `--model` and the options that say how to read the model. */
export const withModelOptions = (command: Command): Command =>
  command
    .option(
      '--model <path>',
      'a folder with a model.json, the file, or its https address (layers or graph model)',
    )
    .option('--bounds <low,high>', 'the values of black and white for the model, such as 0,255', readBounds)
    .option(
      '--from-probabilities',
      'the outputs are probabilities: drop the softmax or sigmoid, or invert it',
    )
    .option('--output <name>', 'the output, layer or node that gives the logits')
    .option('--input <name>', 'the node of a graph model that takes the images')
    .addOption(
      new Option(
        '--layout <layout>',
        'the place of the channels, if the shape of the input allows both',
      ).choices(['channels-last', 'channels-first']),
    );

const modelOptions = (flags: ModelFlags): ModelOptions => ({
  ...(flags.bounds && { bounds: flags.bounds }),
  ...(flags.fromProbabilities && { fromProbabilities: true }),
  ...(flags.output !== undefined && { output: flags.output }),
  ...(flags.input !== undefined && { input: flags.input }),
  ...(flags.layout && { layout: flags.layout }),
});

/** A service that asks for a token answers 401, or 403 to one without the right. */
const tokenHint = (message: string): string =>
  /: HTTP 40[13]$/.test(message)
    ? '\n→ Set FUNNEL_TOKEN, and FUNNEL_URL to the address of the service: no other address gets the token.'
    : '';

const isAddress = (source: string): boolean => /^https?:\/\//i.test(source);

/** The service of this command line may use http. It gets the token, and no other address does. */
const requestOptions = (source: string, { url, token }: Service): LoadOptions => {
  const isOwn = new URL(source).href.startsWith(new URL('v1/', `${url.replace(/\/$/, '')}/`).href);
  if (!isOwn) return {};
  return {
    trustedOrigin: new URL(url).origin,
    ...(token !== undefined && { headers: { authorization: `Bearer ${token}` } }),
  };
};

/**
 * The model as a classifier of images of the first of these shapes that fits it. A model without a fixed image size takes the first. Throws
 * Exit for a model that cannot be read or fits none of the shapes.
 */
export const readModel = async (
  source: string,
  [shape, ...otherShapes]: readonly (readonly number[])[],
  flags: ModelFlags,
  context: Pick<Context, 'service' | 'signal'>,
): Promise<ClassifierModel> => {
  const { loadClassifier } = await import('@funnel/attacks');
  try {
    return await loadClassifier(source, {
      ...(shape && { shape }),
      ...(isAddress(source) && requestOptions(source, context.service())),
      signal: context.signal,
      ...modelOptions(flags),
    });
  } catch (error) {
    if (!(error instanceof AppError && error.code === 'ATTACK_INPUT')) throw error;
    const message = inFlags(error.message);
    if (otherShapes.length > 0)
      return readModel(source, otherShapes, flags, context).catch(() => {
        throw new Exit(exitCodes.usage, message);
      });
    throw new Exit(exitCodes.usage, `${message}${tokenHint(message)}`);
  }
};
