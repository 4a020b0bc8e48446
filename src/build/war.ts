/** What a WAR is: whether its archive is whole, and which servlet API it was written for. */
import { readFile } from 'node:fs/promises';
import { unzipSync } from 'fflate';
import { Failure } from '../errors.ts';
import { unreadableWords } from '../files.ts';

/**
 * `javax` until Java EE 8 (Tomcat 9), `jakarta` from Jakarta EE 9 on (Tomcat 10); `null`: neither is used.
 */
export type ServletApi = 'javax' | 'jakarta' | null;

/**
 * Reads a WAR.
 * @throws Failure kind `usage` where the file is no whole archive with a folder WEB-INF.
 */
export async function readWar(app: string, path: string): Promise<ServletApi> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new Failure('usage', `${app}: the WAR ${path} cannot be read: ${unreadableWords(error)}`, {
      cause: error,
    });
  });
  return servletApi(app, bytes);
}

/**
 * Which servlet API the archive's own parts use. The application's classes decide, where they use one; else
 * the namespace of web.xml; else its libraries, of which some support both: then what most classes use.
 */
export function servletApi(app: string, war: Uint8Array): ServletApi {
  const files = unpacked(app, 'the WAR', war, (path) =>
    /^WEB-INF\/(web\.xml|.*\.(class|jar))$|\.(jsp|jspx|tag)$/.test(path),
  );
  const own = most(
    Object.entries(files).flatMap(([path, bytes]) => (/\.(class|jsp|jspx|tag)$/.test(path) ? [bytes] : [])),
  );
  if (own !== null) return own;
  const descriptor = files['WEB-INF/web.xml'];
  if (descriptor !== undefined) {
    const text = latin1(descriptor);
    if (text.includes('jakarta.ee/xml/ns/jakartaee')) return 'jakarta';
    if (/java\.sun\.com|xmlns\.jcp\.org/.test(text)) return 'javax';
  }
  return most(
    Object.entries(files)
      .filter(([path]) => path.endsWith('.jar'))
      .flatMap(([path, bytes]) => Object.values(unpacked(app, path, bytes, (one) => one.endsWith('.class')))),
  );
}

/** A class names what it uses in its constant pool, as plain text with slashes. */
function most(classes: readonly Uint8Array[]): ServletApi {
  const using = (name: RegExp) => classes.filter((bytes) => name.test(latin1(bytes))).length;
  const [javax, jakarta] = [using(/javax[./]servlet[./]/), using(/jakarta[./]servlet[./]/)];
  if (javax === 0 && jakarta === 0) return null;
  return javax > jakarta ? 'javax' : 'jakarta';
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

/** The wanted files of an archive. */
function unpacked(
  app: string,
  name: string,
  bytes: Uint8Array,
  wanted: (path: string) => boolean,
): Record<string, Uint8Array> {
  const broken = (why: string, cause?: unknown) =>
    new Failure('usage', `${app}: ${name} ${why}.`, {
      step: 'artifact',
      next: 'Build it again, or copy it again where it was copied; "unzip -t" shows whether it is whole.',
      cause,
    });
  const names: string[] = [];
  let files: Record<string, Uint8Array>;
  try {
    files = unzipSync(bytes, { filter: (file) => names.push(file.name) > 0 && wanted(file.name) });
  } catch (error) {
    throw broken(bytes.length === 0 ? 'is an empty file' : 'is damaged or cut off', error);
  }
  if (!name.endsWith('.jar') && !names.some((one) => one.startsWith('WEB-INF/'))) {
    throw broken('has no folder WEB-INF');
  }
  return files;
}
