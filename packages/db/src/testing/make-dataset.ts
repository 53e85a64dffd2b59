/** Small and large data sets in canonical form, for tests of uploads. */
import { createHash } from 'node:crypto';
import {
  type DatasetContent,
  type DatasetUpload,
  datasetChunkBytes,
  datasetChunks,
  datasetLayout,
} from '@funnel/contracts';

export type MadeDataset = {
  /** What an upload announces. */
  readonly upload: DatasetUpload;
  /** The canonical form. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly chunk: (number: number) => Uint8Array<ArrayBuffer>;
};

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export type MakeDataset = Partial<DatasetContent> & {
  readonly name?: string;
  /** The label of an image. (Default: the classes take turns) */
  readonly labelOf?: (index: number, split: 'train' | 'test') => number;
  /** Changes the pixels, and so the digest. (Default: 0) */
  readonly salt?: number;
};

/** Pixel p of image i is (i + p + salt) mod 256, in both splits. */
export const makeDataset = ({
  name = 'pets',
  shape = [4, 6, 3],
  classes = ['cat', 'dog', 'bird'],
  train = 9,
  test = 6,
  labelOf = (index) => index % classes.length,
  salt = 0,
}: MakeDataset = {}): MadeDataset => {
  const content: DatasetContent = { shape, classes, train, test };
  const { header, labels, pixels, imageBytes, bytes: size } = datasetLayout(content);
  const bytes = new Uint8Array(size);
  bytes.set(new TextEncoder().encode(header));
  const view = new DataView(bytes.buffer);
  for (const split of ['train', 'test'] as const)
    for (let i = 0; i < content[split]; i++) {
      view.setUint16(labels[split] + 2 * i, labelOf(i, split), true);
      const from = pixels[split] + i * imageBytes;
      for (let p = 0; p < imageBytes; p++) bytes[from + p] = i + p + salt;
    }
  const chunk = (number: number): Uint8Array<ArrayBuffer> =>
    bytes.subarray(number * datasetChunkBytes, (number + 1) * datasetChunkBytes);
  const chunks = Array.from({ length: datasetChunks(size) }, (_, number) => sha256(chunk(number)));
  return { upload: { name, digest: sha256(bytes), content, chunks }, bytes, chunk };
};
