/**
 * Certificates by ACME: what a host knows of its own, and how it gets one. The host does the work, renewals
 * too (roles/acme.ts).
 */
import { createHash } from 'node:crypto';
import type { Context } from '../../context.ts';
import { settingsFolder } from '../../contract/places.ts';
import { CHALLENGES, ISSUED } from '../../contract/proxy-paths.ts';
import { Failure } from '../../errors.ts';
import { converge } from '../../host/converge.ts';
import { rolesFor } from '../../roles/index.ts';
import { publicAddress } from '../../ssh/connection.ts';
import { quote } from '../../ssh/quote.ts';
import { withValues } from '../../ssh/script.ts';
import type { ReleaseHost } from '../types.ts';
import look from './acme-facts.sh' with { type: 'text' };
import type { AcmeCertificate } from './certificate.ts';
import certifying from './certify.sh' with { type: 'text' };

/** A host with what it knows of its certificate. */
export interface AcmeFacts {
  readonly host: ReleaseHost;
  /** Fingerprint of the role that prepared it; empty: it never was. */
  readonly prepared: string;
  /** SHA-256 of the request, as `acmeFiles` has it. */
  readonly asked: string;
  /** Whether the last attempt succeeded. */
  readonly issued: boolean;
}

const PARAMS = { fleet: [], operators: [], sshPorts: [], exposures: [] };
const PREPARED = '/var/lib/pipeline/acme/.prepared';

function fingerprint(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function preparation(): string {
  return fingerprint(JSON.stringify(rolesFor('acme', PARAMS)));
}

/** What dehydrated reads: settings, and the certificate's names. */
function acmeFiles(
  app: string,
  { domains, email, directory }: AcmeCertificate,
): { readonly config: string; readonly names: string } {
  const folder = `${settingsFolder(app)}/acme`;
  const values: Readonly<Record<string, string>> = {
    CA: directory,
    CONTACT_EMAIL: email ?? '',
    CHALLENGETYPE: 'http-01',
    WELLKNOWN: CHALLENGES,
    BASEDIR: folder,
    DOMAINS_TXT: `${folder}/domains.txt`,
    LOCKFILE: `${folder}/lock`,
    KEY_ALGO: 'prime256v1',
  };
  const lines = Object.entries(values).map(([name, value]) => `${name}=${quote(value)}`);
  return {
    config: `# Written by pipeline.\n${lines.join('\n')}\nRENEW_DAYS=$PIPELINE_RENEW_DAYS\n`,
    names: `${domains.join(' ')} > site\n`,
  };
}

function asked(app: string, certificate: AcmeCertificate): string {
  const { config, names } = acmeFiles(app, certificate);
  return fingerprint(config + names);
}

export async function lookAtAcme(app: string, host: ReleaseHost, context: Context): Promise<AcmeFacts> {
  const folder = `${settingsFolder(app)}/acme`;
  const values = { prepared: PREPARED, folder, issued: `${ISSUED}/${app}` };
  const label = `certificate of ${app}`;
  const text = await host.connection.check(withValues(look, values), { label, signal: context.signal });
  const said = (key: string) => new RegExp(`^${key} (.*)$`, 'm').exec(text)?.[1] ?? '';
  return { host, prepared: said('prepared'), asked: said('asked'), issued: said('issued') === 'yes' };
}

/** Whether the host lacks the requested certificate, or cannot renew it. */
export function lacksCertificate(app: string, facts: AcmeFacts, certificate: AcmeCertificate): boolean {
  return facts.prepared !== preparation() || !facts.issued || facts.asked !== asked(app, certificate);
}

/**
 * Has the host get its certificate and keep it renewed. The site must be in place, so that the authority can
 * reach it.
 * @throws Failure kind `host` if none came: the site keeps what it has, and the host tries again by itself.
 */
export async function certify(
  app: string,
  facts: AcmeFacts,
  certificate: AcmeCertificate,
  context: Context,
): Promise<void> {
  const { host } = facts;
  const tell = (state: 'started' | 'done' | 'failed', detail?: string) =>
    context.progress({ host: host.name, stage: 'certificate', state, detail });
  tell('started');
  const text = await ask(app, facts, certificate, context).catch((error: unknown) => {
    tell('failed');
    throw error;
  });
  const reason = /^reason (.*)$/m.exec(text)?.[1];
  tell(reason === undefined ? 'done' : 'failed', reason ?? certificate.domains.join(', '));
  if (reason === undefined) return;
  const address = publicAddress(host.connection.target);
  throw new Failure('host', `${host.name}: ${app} is live, without a certificate: ${reason}`, {
    host: host.name,
    step: 'certificate',
    next: `${
      /^unreachable$/m.test(text)
        ? `Check that ${host.name} can reach ${certificate.directory}`
        : `Point ${certificate.domains.join(', ')} to ${address}, with port 80 open to everybody`
    }, then deploy again; the host also tries every six hours.`,
  });
}

/** Prepares the host if necessary, and returns what it says of the attempt. */
async function ask(
  app: string,
  { host, prepared }: AcmeFacts,
  certificate: AcmeCertificate,
  context: Context,
): Promise<string> {
  if (prepared !== preparation()) await converge(host.connection, rolesFor('acme', PARAMS), context);
  return host.connection.check(certifyScript(app, certificate), {
    label: `certificate of ${app}`,
    signal: context.signal,
  });
}

function certifyScript(app: string, certificate: AcmeCertificate): string {
  return withValues(certifying, {
    app,
    folder: `${settingsFolder(app)}/acme`,
    ...acmeFiles(app, certificate),
    directory: certificate.directory,
    authority: `CA=${quote(certificate.directory)}`,
    prepared: PREPARED,
    preparation: preparation(),
  });
}
