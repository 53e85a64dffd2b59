/** Texts about data sets. */
import { type DatasetEntry, isGenerated } from '@funnel/contracts';
import { plural } from '../../format.ts';

/** `32×32 pixels in colour`. */
export const shapeText = ([height, width, channels]: DatasetEntry['shape']): string => {
  const kind = { 1: 'in grey', 3: 'in colour' }[channels] ?? `with ${plural(channels, 'channel')}`;
  return `${height}×${width} pixels ${kind}`;
};

/** Where the images are. A stage of a sweep needs one of these places. */
export const placeText = ({
  name,
  isStored,
  workers,
}: Pick<DatasetEntry, 'name' | 'isStored' | 'workers'>): string => {
  if (isStored) return 'The service has the images, so every worker can get them.';
  if (isGenerated(name))
    return 'Every worker generates the images. The service does not store them, so there is nothing to show.';
  if (workers > 0)
    return `${plural(workers, 'live worker has', 'live workers have')} the images. The service does not store them, so there is nothing to show.`;
  return 'Neither the service nor a live worker has the images. A sweep on them waits.';
};
