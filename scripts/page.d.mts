/** @param root the repository's folder; absent: the working directory */
export function bundlePage(root?: string): Promise<{ readonly js: string; readonly css: string }>;
