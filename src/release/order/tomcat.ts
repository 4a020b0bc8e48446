/**
 * A Tomcat that serves one release and nothing else: the folder that Tomcat calls CATALINA_BASE, beside the
 * unpacked WAR, and the program that starts it from the host's own packages. Pure text.
 */
import type { Manifest } from '../../contract/manifest.ts';
import { STATE_ROOT } from '../../contract/places.ts';
import { withValues } from '../../ssh/script.ts';
import start from './tomcat-start.sh' with { type: 'text' };

/** What a release says of its Tomcat. */
export type TomcatManifest = NonNullable<Manifest['tomcat']>;

/** What Tomcat prints when it gives an application up. */
export const GIVEN_UP = 'startup failed due to previous errors';

/**
 * Shares of the memory limit or, without one, of the host's memory, where two versions and a database may run
 * side by side.
 */
const HEAP_PER_CENT = { limited: 50, unlimited: 25 } as const;

/** A context path's folder below `webapps`. */
export function contextFolder(context: string): string {
  return context === '/' ? 'ROOT' : context.slice(1).replaceAll('/', '#');
}

/**
 * One connector, on loopback; the port comes with the colour. Nothing is deployed later, and visitors are
 * told no version.
 */
const SERVER = `<?xml version="1.0" encoding="UTF-8"?>
<!-- Written by pipeline. -->
<Server port="-1">
  <Listener className="org.apache.catalina.core.JreMemoryLeakPreventionListener"/>
  <Service name="Catalina">
    <Connector port="\${pipeline.port}" address="127.0.0.1" protocol="HTTP/1.1" maxThreads="200"
               connectionTimeout="20000" keepAliveTimeout="75000" maxKeepAliveRequests="-1" maxPostSize="-1"
               maxSwallowSize="-1" URIEncoding="UTF-8" xpoweredBy="false"/>
    <Engine name="Catalina" defaultHost="localhost">
      <Host name="localhost" appBase="webapps" workDir="\${java.io.tmpdir}/work" unpackWARs="false"
            autoDeploy="false" failCtxIfServletStartFails="true">
        <Valve className="org.apache.catalina.valves.RemoteIpValve" remoteIpHeader="X-Forwarded-For"
               protocolHeader="X-Forwarded-Proto"/>
        <Valve className="org.apache.catalina.valves.ErrorReportValve" showReport="false"
               showServerInfo="false"/>
      </Host>
    </Engine>
  </Service>
</Server>
`;

/**
 * Defaults for an application's META-INF/context.xml. Shared: a session is read from disk before a request
 * and written after it, so both colours know it. Memory: it ends with its process. Only the WAR is searched
 * for tag libraries: searching Tomcat's own jars takes a quarter of its start.
 */
function contextFile(app: string, { sessions }: TomcatManifest, linked: boolean): string {
  const parts =
    sessions === 'shared'
      ? `  <Manager className="org.apache.catalina.session.PersistentManager" maxIdleSwap="-1"
           minIdleSwap="-1" maxIdleBackup="-1" persistAuthentication="true">
    <Store className="org.apache.catalina.session.FileStore" directory="${STATE_ROOT}/${app}/sessions"/>
  </Manager>
  <Valve className="org.apache.catalina.valves.PersistentValve"/>`
      : '  <Manager pathname=""/>';
  return `<?xml version="1.0" encoding="UTF-8"?>
<!-- Written by pipeline. -->
<Context parallelAnnotationScanning="true">
  <JarScanner scanClassPath="false"/>${linked ? '\n  <Resources allowLinking="true"/>' : ''}
${parts}
</Context>
`;
}

/** Everything goes to the journal, with its level, except advice on starting faster. */
const LOGGING = `handlers = java.util.logging.ConsoleHandler
org.apache.jasper.servlet.TldScanner.level = WARNING
.handlers = java.util.logging.ConsoleHandler
java.util.logging.ConsoleHandler.level = FINE
java.util.logging.ConsoleHandler.formatter = org.apache.juli.SystemdFormatter
`;

/** The base's files: path below the release, text. */
export function tomcatFiles(
  app: string,
  tomcat: TomcatManifest,
  persist: readonly string[] = [],
): Readonly<Record<string, string>> {
  return {
    'tomcat/conf/server.xml': SERVER,
    'tomcat/conf/context.xml': contextFile(app, tomcat, persist.length > 0),
    'tomcat/conf/logging.properties': LOGGING,
  };
}

/**
 * `start` in the release's folder. Tomcat would run on without an application that cannot start; it is ended
 * instead, so that systemd tries again as with any service. Java sizes its heap by the unit's memory limit,
 * or the host's memory.
 */
export function tomcatStart({ portVariable, instances, memory }: Manifest): string {
  const heap = memory === null ? HEAP_PER_CENT.unlimited / instances : HEAP_PER_CENT.limited;
  const values = { heap: heap.toFixed(1), port_variable: portVariable, given_up: GIVEN_UP };
  return `#!/bin/bash\n# Written by pipeline.\n${withValues(start, values)}`;
}
