/** How long the certificates that servers present stay valid. */

import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { duration } from '../../format.ts';
import type { Row } from '../../metrics/catalogue.ts';
import type { Collector } from '../collector.ts';

const EVERY_SECONDS = 3600;
const TIMEOUT_MS = 10_000;

/** A certificate as it is reported: the end of its validity (seconds since 1970) and whose it is. */
export function describeCertificate(certificate: X509Certificate): { expires: number; subject: string } {
  const name = /^CN=(.+)$/m.exec(certificate.subject)?.[1];
  const alternative = certificate.subjectAltName?.split(', ')[0]?.replace(/^[^:]+:/, '');
  return { expires: Date.parse(certificate.validTo) / 1000, subject: name ?? alternative ?? '' };
}

/**
 * @param place `host:port`, asked by TLS; `NAME@host:port`, asked for the certificate of NAME and reported
 * under that name; or the absolute path of a PEM file, of which the first certificate counts
 */
export function certificateCollector(place: string): Collector {
  const [endpoint = '', address = endpoint] = place.startsWith('/') ? [place] : place.split('@');
  return {
    name: `certificate ${endpoint}`,
    everySeconds: EVERY_SECONDS,
    async collect() {
      const read = endpoint.startsWith('/')
        ? Promise.resolve().then(() => new X509Certificate(readFileSync(endpoint)))
        : present(address, address === endpoint ? undefined : endpoint);
      const row: Row<'certificates'> = await read.then(
        (certificate) => ({ endpoint, ...describeCertificate(certificate), error: '' }),
        (error: Error) => ({ endpoint, expires: null, subject: '', error: error.message }),
      );
      return { certificates: [row] };
    },
  };
}

/**
 * The certificate that a server presents. Whether it is trusted is not asked: an expired one is what is
 * looked for.
 */
async function present(endpoint: string, wanted?: string): Promise<X509Certificate> {
  const { connect } = await import('node:tls');
  const colon = endpoint.lastIndexOf(':');
  const host = endpoint.slice(0, colon).replace(/^\[|\]$/g, '');
  const port = Number(endpoint.slice(colon + 1));
  return new Promise((resolve, reject) => {
    const servername = wanted ?? host;
    const name = isIP(servername) === 0 ? { servername } : {};
    const socket = connect({ host, port, ...name, rejectUnauthorized: false }, () => {
      const certificate = socket.getPeerX509Certificate();
      socket.destroy();
      if (certificate === undefined) reject(new Error('the server presents no certificate'));
      else resolve(certificate);
    });
    socket.setTimeout(TIMEOUT_MS, () =>
      socket.destroy(new Error(`no answer within ${duration(TIMEOUT_MS)}`)),
    );
    socket.once('error', reject);
  });
}
