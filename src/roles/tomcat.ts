/** Tomcat behind nginx: the version that the host's release has, on the loopback address, with the heap that the host can spare. */

import type { Resource } from '../host/resource.ts';
import type { HostFacts } from '../host/state.ts';
import { mebibytes, type Role, type RoleParams } from './role.ts';

/** Debian 12 and Ubuntu 24.04 carry Tomcat 10, Ubuntu 22.04 only Tomcat 9. */
export function tomcatVersion(host: Pick<HostFacts, 'os' | 'version'>): 9 | 10 {
  return host.os === 'ubuntu' && Number(host.version) < 24 ? 9 : 10;
}

/** Old versions of a context go when their last session ends; a proxy's word is taken for the visitor's address. */
const SERVER = `<?xml version="1.0" encoding="UTF-8"?>
<!-- Made by pipeline. -->
<Server port="-1">
  <Listener className="org.apache.catalina.startup.VersionLoggerListener"/>
  <Listener className="org.apache.catalina.core.JreMemoryLeakPreventionListener"/>
  <Listener className="org.apache.catalina.core.ThreadLocalLeakPreventionListener"/>
  <Service name="Catalina">
    <Connector port="8080" address="127.0.0.1" protocol="HTTP/1.1" maxThreads="200" connectionTimeout="20000"
               maxPostSize="20971520" URIEncoding="UTF-8"/>
    <Engine name="Catalina" defaultHost="localhost">
      <Host name="localhost" appBase="webapps" unpackWARs="true" autoDeploy="true" undeployOldVersions="true">
        <Valve className="org.apache.catalina.valves.RemoteIpValve" remoteIpHeader="X-Forwarded-For"
               protocolHeader="X-Forwarded-Proto"/>
        <Valve className="org.apache.catalina.valves.ErrorReportValve" showReport="false" showServerInfo="false"/>
      </Host>
    </Engine>
  </Service>
</Server>
`;

function defaults(params: RoleParams): string {
  const heap =
    params.memoryBytes === undefined
      ? '-XX:MaxRAMPercentage=50'
      : `-Xmx${mebibytes(params, 0.5, 192, 16384)}m`;
  return `# Made by pipeline.\nJAVA_OPTS="-Djava.awt.headless=true -XX:+ExitOnOutOfMemoryError ${heap}"\n`;
}

function resources(version: 9 | 10, params: RoleParams): readonly Resource[] {
  const name = `tomcat${version}`;
  const files: Resource[] = [
    { kind: 'file', path: `/etc/${name}/server.xml`, content: SERVER, mode: '0640', group: 'tomcat' },
    { kind: 'file', path: `/etc/default/${name}`, content: defaults(params) },
  ];
  const all: Resource[] = [
    { kind: 'package', name },
    ...files,
    {
      kind: 'service',
      unit: `${name}.service`,
      enabled: true,
      restartOn: [`file /etc/${name}/server.xml`, `file /etc/default/${name}`],
    },
  ];
  return all.map((resource) => ({ ...resource, when: (host) => tomcatVersion(host) === version }));
}

export const tomcat: Role = {
  name: 'tomcat',
  exposures: [],
  resources: (params) => [...resources(9, params), ...resources(10, params)],
};
