/** Whether an absolute path is a folder itself, or lies in it; both without `..`, and symlinks as they are. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === "/" ? "/" : `${folder}/`);
}
