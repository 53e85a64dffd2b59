/** A browser has no files: every model has an address. Node gets `files.ts` in its place. */
export const hasFiles = false;

export const isFolder = async (): Promise<boolean> => false;
export const isFile = async (): Promise<boolean> => false;

export const readBytes = async (path: string, _maxBytes: number): Promise<Uint8Array> => {
  throw new Error(`a browser cannot read the file ${path}`);
};

export const joinPath = (folder: string, name: string): string => `${folder}/${name}`;
