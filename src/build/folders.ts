/** Folders inside a repository, as git writes them. Pure. */
import { posix } from 'node:path';

/** No `./`, no `/` at the end, empty for the root. */
export function folderOf({ directory }: { readonly directory: string }): string {
  const normal = posix.normalize(directory).replace(/\/+$/, '');
  return normal === '.' ? '' : normal;
}

/** `a/b` → `a/b`, `a`, and the root. */
export function upwards(directory: string): readonly string[] {
  const folders = [directory];
  for (let folder = directory; folder !== ''; ) {
    folder = folder.includes('/') ? posix.dirname(folder) : '';
    folders.push(folder);
  }
  return folders;
}
