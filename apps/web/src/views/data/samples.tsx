import type { DatasetImages } from '@funnel/contracts';
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { decodePixels, PixelImage, Sprite } from '../../components/pixels.tsx';
import { Loaded } from '../../components/states.tsx';
import { datasetImagesQuery } from '../../data/queries.ts';

const stripImages = 10;

/** The first test images, side by side in one picture. */
export const SampleStrip = ({ name }: { readonly name: string }) => {
  const state = useQuery(datasetImagesQuery(name, { split: 'test', from: 0, count: stripImages }));
  return (
    <Loaded state={state} height={44}>
      {(images) => <Strip images={images} />}
    </Loaded>
  );
};

const Strip = ({ images: { images, shape } }: { readonly images: DatasetImages }) => {
  const decoded = useMemo(() => images.map(decodePixels), [images]);
  return <Sprite images={decoded} shape={shape} columns={stripImages} label="The first test images" />;
};

/** The largest side of a shown image, in CSS pixels. */
const side = 84;

const Sample = (props: {
  readonly image: string;
  readonly index: number;
  readonly shape: DatasetImages['shape'];
  readonly name: string;
}) => {
  const { image, index, shape, name } = props;
  const pixels = useMemo(() => decodePixels(image), [image]);
  return (
    <li>
      <PixelImage pixels={pixels} shape={shape} size={side} label={`Image ${index}: ${name}`} />
      <span title={name}>{name}</span>
      <span className="muted">{index}</span>
    </li>
  );
};

/** Images with their classes and numbers. */
export const SampleGrid = (props: {
  readonly images: DatasetImages;
  readonly classes: readonly string[];
}) => {
  const { images, index, label, shape } = props.images;
  return (
    <ul className="samples">
      {images.map((image, i) => (
        <Sample
          key={index[i]}
          image={image}
          index={index[i]!}
          shape={shape}
          name={props.classes[label[i]!] ?? String(label[i])}
        />
      ))}
    </ul>
  );
};
