/** What a repository says of an application, before anything is checked out. */

/** What of the repository decides. Paths are relative to its root. */
export interface SourceFiles {
  /** Which of `decidingPaths` exist. */
  readonly existing: ReadonlySet<string>;
  /**
   * Contents of those that are read: package.json, .nvmrc, .node-version, .tool-versions, pom.xml, the lock
   * file.
   */
  readonly text: Readonly<Record<string, string>>;
}
