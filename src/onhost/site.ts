/** nginx's site, after the certificate that it needs. */
import { settingsFolder } from '../contract/places.ts';
import type { OrderedSite } from '../contract/release.ts';
import { failed, type Scene, sayer, within } from './scene.ts';

export async function putSite(scene: Scene, site: OrderedSite): Promise<void> {
  const { host, placed } = scene;
  const { app } = placed.manifest;
  await within('proxy', 'cannot write the certificate', () => putCertificate(scene, site));
  await within('proxy', 'cannot write the passwords', () => putAuth(scene, site));
  const put = await within('proxy', 'nginx does not take the site', () => host.putSite(app, site.text));
  if ('refused' in put) throw failed('proxy', 'nginx does not take the site', put.refused);
  await forgetAuth(scene, site);
  if (put.changed) sayer(scene.tell, 'proxy').done('nginx reloaded, its site changed');
}

/** Names with hashed passwords, which nginx reads at each request. */
async function putAuth({ host }: Scene, { auth }: OrderedSite): Promise<void> {
  if (auth === undefined || auth === null) return;
  await host.write(auth.path, auth.text, 0o640);
  const { code, said } = await host.run('chgrp', 'www-data', auth.path);
  if (code !== 0) throw new Error(said.trim());
}

/** Those of another password. */
async function forgetAuth({ host, settings }: Scene, { auth }: OrderedSite): Promise<void> {
  if (auth === undefined || auth === null) return;
  const folder = `${settings}/auth`;
  for (const name of await host.list(folder)) {
    if (`${folder}/${name}` !== auth.path) await host.remove(`${folder}/${name}`);
  }
}

/** The artifact has the folder of static files. */
export async function needFolder({ host, folder }: Scene, site: OrderedSite | null): Promise<void> {
  const needs = site?.needs ?? null;
  if (needs === null || (await host.exists(`${folder}/app/${needs}`))) return;
  throw failed('place', `the artifact has no folder ${needs}`);
}

/** Until the first certificate comes by ACME, the host signs one itself, for a week. */
async function putCertificate({ host, placed }: Scene, { certificate }: OrderedSite): Promise<void> {
  if (certificate === null) return;
  const tls = `${settingsFolder(placed.manifest.app)}/tls`;
  await host.makeFolder(tls, 0o700);
  if (certificate.kind === 'given') {
    await host.write(`${tls}/${certificate.name}.crt`, certificate.chain, 0o600);
    await host.write(`${tls}/${certificate.name}.key`, certificate.key, 0o600);
    return;
  }
  if (await host.exists(`${tls}/acme/fullchain.pem`)) return;
  const own = `${tls}/acme-self`;
  await host.makeFolder(own, 0o700);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '7'];
  const subject = ['-subj', `/CN=${certificate.domain}`];
  const files = ['-keyout', `${own}/privkey.pem`, '-out', `${own}/fullchain.pem`];
  const { code, said } = await host.run('openssl', 'req', '-x509', ...key, ...subject, ...files);
  if (code !== 0) throw failed('proxy', `cannot write the certificate: ${said.trim()}`);
  await host.link('acme-self', `${tls}/acme`);
}
