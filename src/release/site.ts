/** The site of an application on a host: what its definition says, with the processes behind each colour. */
import { createHash, createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { AppConfig } from '../config/schema.ts';
import { Failure } from '../errors.ts';
import type { Site, Variant } from '../proxy/proxy.ts';
import { siteConfig } from '../proxy/site.ts';
import type { Manifest } from './manifest.ts';
import { appRoot, insideArtifact, settingsFolder } from './places.ts';
import { instancesOf } from './unit.ts';

/** A certificate with its key, named by content on hosts, so that a new one is a new site. */
export interface Certificate {
  readonly chain: string;
  readonly key: string;
  readonly name: string;
}

/** The site with these releases behind the colours. */
export function siteOf(
  app: string,
  definition: AppConfig,
  slot: number,
  colours: Readonly<Record<Variant, Manifest>>,
  certificate: Certificate | undefined,
): Site {
  const { site } = definition;
  const servers = (variant: Variant) =>
    instancesOf(colours[variant], slot, variant).map(({ address, port }) => `${address}:${port}`);
  const { runtime, directory } = colours.blue;
  const folder = site.static ?? (runtime === 'static' ? '.' : undefined);
  const files = folder === undefined ? undefined : insideArtifact(app, directory, folder, 'site: static:');
  return {
    app,
    domains: site.domains,
    port: site.port,
    tls:
      site.tls === undefined || certificate === undefined
        ? undefined
        : {
            certificate: `${settingsFolder(app)}/tls/${certificate.name}.crt`,
            key: `${settingsFolder(app)}/tls/${certificate.name}.key`,
            redirect: site.tls.redirect,
          },
    routes: site.routes,
    static: files,
    root: appRoot(app),
    maxBodyBytes: site.max_body,
    readTimeoutMs: site.read_timeout,
    headers: site.headers,
    variants: { blue: { servers: servers('blue') }, green: { servers: servers('green') } },
    fallback: true,
  };
}

/** As the host reports it: SHA-256 of the file. */
export function siteHash(site: Site): string {
  return createHash('sha256').update(siteConfig(site)).digest('hex');
}

/**
 * Reads the certificate that a site should have; undefined where it has none.
 * @throws Failure kind `usage` where a file cannot be read, has expired, or the key belongs to another certificate.
 */
export async function readCertificate(
  app: string,
  definition: AppConfig,
  directory: string,
  now: Date,
): Promise<Certificate | undefined> {
  const { tls } = definition.site;
  if (tls === undefined) return undefined;
  const [chain, key] = await Promise.all([
    readPem(app, resolve(directory, tls.certificate)),
    readPem(app, resolve(directory, tls.key)),
  ]);
  checkCertificate(app, chain, key, now);
  const name = createHash('sha256').update(chain).update(key).digest('hex').slice(0, 16);
  return { chain, key, name };
}

function checkCertificate(app: string, chain: string, key: string, now: Date): void {
  const next = 'Put the current certificate chain and its key where site: tls: in pipeline.yml says.';
  const refuse = (why: string, cause?: unknown) =>
    new Failure('usage', `${app}: ${why}`, { step: 'certificate', next, cause });
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(chain);
  } catch (error) {
    throw refuse('site: tls: certificate: is no certificate in PEM format', error);
  }
  if (new Date(certificate.validTo) <= now) throw refuse(`the certificate expired on ${certificate.validTo}`);
  if (new Date(certificate.validFrom) > now) {
    throw refuse(`the certificate is not valid before ${certificate.validFrom}`);
  }
  try {
    const own = createPublicKey(createPrivateKey(key)).export({ type: 'spki', format: 'der' });
    if (own.equals(certificate.publicKey.export({ type: 'spki', format: 'der' }))) return;
  } catch (error) {
    throw refuse('site: tls: key: is no private key in PEM format without a password', error);
  }
  throw refuse('the key belongs to another certificate');
}

async function readPem(app: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new Failure('usage', `${app}: cannot read ${path} (${(error as NodeJS.ErrnoException).code})`, {
      step: 'certificate',
      next: 'Correct site: tls: in pipeline.yml; paths are relative to its folder.',
      cause: error,
    });
  }
}
