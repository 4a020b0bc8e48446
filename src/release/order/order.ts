/** From a host's plan to the order for its program, with every text written out. Pure. */
import type { Manifest } from '../../contract/manifest.ts';
import { type Colour, networkOf, portOf } from '../../contract/places.ts';
import type {
  GuardOrder,
  OrderedFile,
  OrderedInstance,
  OrderedSite,
  Placed,
  Placing,
  Settle,
  TakeOver,
} from '../../contract/release.ts';
import type { Site } from '../../proxy/proxy.ts';
import { siteConfig } from '../../proxy/site.ts';
import type { Certificate } from '../front/certificate.ts';
import type { NewRelease, PlannedSettle, PlannedTakeOver } from '../plan/planned.ts';
import { checkScript } from './check.ts';
import { jobsOf } from './jobs.ts';
import { processesIn, processFiles } from './processes.ts';
import { contextFolder, GIVEN_UP, tomcatFiles, tomcatStart } from './tomcat.ts';
import { environmentFile, type Instance, instancesOf, startScript, unitFile } from './unit.ts';

/**
 * A release in a colour, with its processes as systemd reads them.
 * @param first whether the host is the application's first, which runs its jobs
 */
export function placedIn(manifest: Manifest, slot: number, colour: Colour, first: boolean): Placed {
  const instances = instancesOf(manifest, slot, colour).map(
    (instance, index): OrderedInstance => ({
      name: instance.name,
      unit: instance.unit,
      unitText: unitFile(manifest, slot, colour, index),
      address: instance.address,
      port: instance.port,
      network: networkFor(manifest.app, instance, portOf(slot, colour, index)),
    }),
  );
  const processes = processesIn(manifest, colour);
  const jobs = first ? jobsOf(manifest) : [];
  return { manifest, slot, colour, instances, processes, jobs };
}

export function takeOverOrder(planned: PlannedTakeOver): TakeOver {
  const { manifest, slot, colour, old, placed, secrets, site, certificate, hooks, proven } = planned;
  return {
    ...placedIn(manifest, slot, colour, planned.first),
    old,
    placing: placed === undefined ? null : placing(manifest, placed),
    keepSecrets: Object.fromEntries(secrets.kept.map((name) => [name, secrets.values[name] ?? ''])),
    site: site === undefined ? null : siteOrder(site, certificate),
    beforeCutOver: hooks ? manifest.hooks.beforeCutOver : null,
    proven,
  };
}

export function settleOrder(
  { manifest, slot, colour, withdrawn, site, hooks, first }: PlannedSettle,
  rest: Pick<Settle, 'remove' | 'audit' | 'guard'>,
): Settle {
  return {
    ...placedIn(manifest, slot, colour, first),
    withdrawn: withdrawn ?? null,
    site: site === undefined ? null : siteOrder(site.site, site.certificate),
    afterDeploy: hooks ? manifest.hooks.afterDeploy : null,
    ...rest,
  };
}

/** Tomcat takes long to start, so the previous one stands by while the host watches. */
export function guardOrder(watch: number, previous: Placed, audit: GuardOrder['audit']): GuardOrder {
  return { watch, previous, standby: previous.manifest.runtime === 'tomcat', audit };
}

function networkFor(app: string, { name, network }: Instance, port: number): OrderedInstance['network'] {
  if (network === undefined) return null;
  const { namespace, link, gateway, address } = networkOf(app, name, port);
  const settings = { NAMESPACE: namespace, LINK: link, GATEWAY: gateway, ADDRESS: address };
  const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}\n`);
  return { unit: network, settings: lines.join('') };
}

function placing(manifest: Manifest, release: NewRelease): Placing {
  const { env, overlay, digest, sameTree, node, dependencies } = release;
  const { app, start, tomcat, persist } = manifest;
  const files: OrderedFile[] = [
    { path: 'env', mode: '0600', text: environmentFile(env) },
    { path: 'digest', mode: '0600', text: `${digest}\n` },
    { path: 'check', mode: '0700', text: checkScript(manifest.health) },
    { path: 'release.json', mode: '0644', text: `${JSON.stringify(manifest)}\n` },
  ];
  files.push(...processFiles(manifest));
  if (start !== null) files.push({ path: 'start', mode: '0755', text: startScript(start) });
  if (tomcat !== undefined) {
    const own = Object.entries(tomcatFiles(app, tomcat, persist));
    files.push(...own.map(([path, text]) => ({ path, mode: '0644', text })));
    files.push({ path: 'start', mode: '0755', text: tomcatStart(manifest) });
    files.push({ path: 'fatal', mode: '0644', text: `${GIVEN_UP}\n` });
  }
  return {
    files,
    overlay: Object.entries(overlay).map(([path, text]) => ({ path, mode: '0640', text })),
    sameTree: sameTree ?? null,
    nodeArchive: node ?? null,
    webapp: tomcat === undefined ? null : contextFolder(tomcat.context),
    dependencies,
  };
}

export function siteOrder(site: Site, certificate: Certificate | undefined): OrderedSite {
  const { auth } = site;
  return {
    text: siteConfig(site),
    needs: site.static ?? null,
    auth: auth === undefined || auth.text === null ? null : { path: auth.path, text: auth.text },
    certificate: orderedCertificate(certificate),
  };
}

export function orderedCertificate(certificate: Certificate | undefined): OrderedSite['certificate'] {
  if (certificate === undefined) return null;
  return certificate.kind === 'acme' ? { kind: 'acme', domain: certificate.domains[0] ?? '' } : certificate;
}
