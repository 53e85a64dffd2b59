/** Errors of the operating system in words. The same words stand in the command line and in the readers of data sets. */

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is none at this path',
  ENOTDIR: 'there is none at this path',
  EISDIR: 'it is a folder, not a file',
  EACCES: 'you have no permission',
  ELOOP: 'it is a symbolic link, which is not followed',
  ENOSPC: 'the disk is full',
  EDQUOT: 'your quota on this disk is used up',
  EROFS: 'the disk can only be read',
};

/** Why a file or a folder cannot be read or written, as the end of a sentence. */
export const whyUnreadable = (error: unknown): string => {
  const { code = '', message = String(error) } = error as { code?: string; message?: string };
  return reasons[code] ?? message;
};
