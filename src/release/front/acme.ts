/**
 * Certificates by ACME: what a host knows, and how it comes to one. The work is done by the host itself
 * (roles/acme.ts), which also renews.
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
  /** SHA-256 of what is asked for, as `acmeFiles` has it. */
  readonly asked: string;
  /** Whether the last attempt brought what is asked for. */
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

/** What dehydrated reads: settings, and the names of the one certificate. */
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

/** Whether the host has not the certificate that is asked for, or cannot renew it. */
export function lacksCertificate(app: string, facts: AcmeFacts, certificate: AcmeCertificate): boolean {
  return facts.prepared !== preparation() || !facts.issued || facts.asked !== asked(app, certificate);
}

/**
 * Lets the host get its certificate and keep it renewed. The site is in place already, so that the authority can
 * ask it.
 * @throws Failure kind `host` where none came: the site goes on with what it has, and the host tries again by
 *   itself.
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
  throw new Failure('host', `${host.name}: ${app} is live, but got no certificate: ${reason}`, {
    host: host.name,
    step: 'certificate',
    next: `${
      reason.startsWith('Problem connecting')
        ? `See whether ${host.name} can reach ${certificate.directory}`
        : `Let ${certificate.domains.join(', ')} lead to ${address}, with port 80 open to everybody`
    }, then deploy again; the host also tries by itself every six hours.`,
  });
}

/** Prepares the host where it has to be, and returns what it says of the attempt. */
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
    authority: `CA=${quote(certificate.directory)}`,
    prepared: PREPARED,
    preparation: preparation(),
  });
}
