/** Errors of the operating system in words. The same words stand in the command line and in the readers of data sets. */

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is none at this path',
  ENOTDIR: 'there is none at this path',
  EISDIR: 'it is a folder, not a file',
  EACCES: 'you have no permission',
  EPERM: 'the system does not permit it',
  ELOOP: 'it is a symbolic link, which is not followed',
  ENOSPC: 'the disk is full',
  EDQUOT: 'your quota on this disk is used up',
  EROFS: 'the disk can only be read',
};

/** Where the file that is missing is the folder of the one to write. */
const writingReasons: Readonly<Record<string, string>> = {
  ...reasons,
  ENOENT: 'its folder cannot be made',
  ENOTDIR: 'a part of its path is no folder',
};

const wordsIn = (words: Readonly<Record<string, string>>, error: unknown): string => {
  const { code = '', message = String(error) } = error as { code?: string; message?: string };
  return words[code] ?? message;
};

/** Why a file or a folder cannot be read, as the end of a sentence. */
export const whyUnreadable = (error: unknown): string => wordsIn(reasons, error);

/** Why a file cannot be written, as the end of a sentence. */
export const whyUnwritable = (error: unknown): string => wordsIn(writingReasons, error);
