/** A site's certificate: given as files, or obtained by the host through ACME. */
import { createHash, createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { AppConfig } from '../../config/schema.ts';
import { settingsFolder } from '../../contract/places.ts';
import { Failure } from '../../errors.ts';
import { unreadableWords } from '../../files.ts';
import type { Front } from '../../proxy/proxy.ts';

/** Named by content on hosts, so that a new one is a new site. */
export interface GivenCertificate {
  readonly kind: 'given';
  readonly chain: string;
  readonly key: string;
  readonly name: string;
}

/** The host gets and renews it by itself: the site reads it through a link. */
export interface AcmeCertificate {
  readonly kind: 'acme';
  readonly domains: readonly string[];
  /** Whom the authority warns before a certificate expires. */
  readonly email?: string | undefined;
  /** Address of the authority's directory (RFC 8555). */
  readonly directory: string;
}

export type Certificate = GivenCertificate | AcmeCertificate;

/** What of a site's file depends on its certificate. */
export function tlsOf(
  app: string,
  { site }: AppConfig,
  certificate: Certificate | undefined,
): Pick<Front, 'tls' | 'challenges'> {
  if (site.tls === undefined || certificate === undefined) return {};
  const path = (name: string) => `${tlsFolder(app)}/${name}`;
  const { redirect } = site.tls;
  if (certificate.kind === 'acme') {
    const tls = { certificate: path('acme/fullchain.pem'), key: path('acme/privkey.pem'), redirect };
    return { tls, challenges: true };
  }
  return {
    tls: { certificate: path(`${certificate.name}.crt`), key: path(`${certificate.name}.key`), redirect },
  };
}

/** Where the site looks for its certificates. */
export function tlsFolder(app: string): string {
  return `${settingsFolder(app)}/tls`;
}

/**
 * Reads the certificate that a site should have, if any. `now`: when it must be valid; undefined on the way
 * back, since an expired certificate is serving already.
 * @throws Failure kind `usage` if a file cannot be read, is not valid now, or the key does not fit.
 */
export async function readCertificate(
  app: string,
  definition: AppConfig,
  directory: string,
  now: Date | undefined,
): Promise<Certificate | undefined> {
  const { tls, domains } = definition.site;
  if (tls === undefined) return undefined;
  if (tls.acme !== undefined) return { kind: 'acme', domains, ...tls.acme };
  if (tls.certificate === undefined || tls.key === undefined) return undefined;
  const [chain, key] = await Promise.all([
    readPem(app, resolve(directory, tls.certificate)),
    readPem(app, resolve(directory, tls.key)),
  ]);
  checkCertificate(app, chain, key, now);
  checkWildcards(app, domains, chain);
  const name = createHash('sha256').update(chain).update(key).digest('hex').slice(0, 16);
  return { kind: 'given', chain, key, name };
}

function checkCertificate(app: string, chain: string, key: string, now: Date | undefined): void {
  const next = 'Put the current certificate chain and its key where site: tls: in pipeline.yml says.';
  const refuse = (why: string, cause?: unknown) =>
    new Failure('usage', `${app}: ${why}`, { step: 'certificate', next, cause });
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(chain);
  } catch (error) {
    throw refuse('site: tls: certificate: is not a PEM certificate', error);
  }
  if (now !== undefined && new Date(certificate.validTo) <= now) {
    throw refuse(`the certificate expired on ${certificate.validTo}`);
  }
  if (now !== undefined && new Date(certificate.validFrom) > now) {
    throw refuse(`the certificate is not valid before ${certificate.validFrom}`);
  }
  try {
    const own = createPublicKey(createPrivateKey(key)).export({ type: 'spki', format: 'der' });
    if (own.equals(certificate.publicKey.export({ type: 'spki', format: 'der' }))) return;
  } catch (error) {
    throw refuse('site: tls: key: is not a PEM private key without a password', error);
  }
  throw refuse('the key belongs to another certificate');
}

/** A wildcard needs a certificate that has it; other names are a matter of whoever stands in front. */
function checkWildcards(app: string, domains: readonly string[], chain: string): void {
  const names = new X509Certificate(chain).subjectAltName?.toLowerCase().split(', ') ?? [];
  const missing = domains.find((domain) => domain.startsWith('*.') && !names.includes(`dns:${domain}`));
  if (missing === undefined) return;
  const has = names.map((name) => name.replace(/^dns:/, '')).join(', ') || 'no name';
  throw new Failure('usage', `${app}: the certificate does not cover ${missing}: it is for ${has}`, {
    step: 'certificate',
    next: 'Give a certificate with that wildcard (site: tls: certificate:), or name the hosts one by one.',
  });
}

async function readPem(app: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new Failure('usage', `${app}: ${path} cannot be read: ${unreadableWords(error)}`, {
      step: 'certificate',
      next: 'Correct site: tls: in pipeline.yml; paths are relative to its folder.',
      cause: error,
    });
  }
}
