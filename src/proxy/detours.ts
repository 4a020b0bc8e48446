/**
 * Two detours on the way to a service. Events (`text/event-stream`) are passed on as they come, without a
 * buffer. And before nginx reloads, its answers close their connections, since a reload closes idle ones, and
 * would lose a request that is just being sent on one. nginx can choose neither by a variable, but sends a
 * request through `error_page` with its method and body, and answers 501 without keeping the connection. Pure
 * text.
 */
import { PROXY_LIVE } from '../contract/proxy-paths.ts';
import { block } from './text.ts';

/** A file that is there while nginx is about to reload. */
const LEAVING = `${PROXY_LIVE}/.leaving`;

/** Whether the visitor asks for events. */
export function eventsMap(id: string): string {
  return block(`map $http_accept $${id}_events`, ['default "";', '"~*text/event-stream" 1;']);
}

/** First lines of a location that passes requests on. `errors`: its pages for errors. */
export function detourLines(id: string, errors: readonly string[]): string[] {
  return [
    ...errors,
    `error_page 418 = @${id}_events;`,
    `error_page 501 = @${id}_leaving;`,
    block(`if ($${id}_events)`, ['return 418;']),
    block(`if (-f ${LEAVING})`, ['return 501;']),
  ];
}

/** Where they lead. `passed`: what the location itself does. */
export function detourLocations(id: string, passed: readonly string[]): string[] {
  const buffering = passed.includes('proxy_buffering off;') ? [] : ['proxy_buffering off;'];
  return [
    block(`location @${id}_events`, [...passed, ...buffering]),
    block(`location @${id}_leaving`, passed),
  ];
}
