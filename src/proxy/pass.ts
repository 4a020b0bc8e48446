/** What nginx says about every request that it passes on, to a service or to another host. Pure text. */

/**
 * The headers of an answer must fit into one buffer, or nginx answers 502. Its default of 4 KB is little
 * for a session and a content security policy.
 */
export const HEADER_BUFFERS: readonly string[] = ['proxy_buffer_size 32k;', 'proxy_buffers 8 32k;'];

/**
 * nginx passes on headers whose names have underscores (role `nginx`). Some frameworks read `X_Forwarded_For`
 * as `X-Forwarded-For`, so the spellings of what nginx itself says are not passed on.
 */
export const LOOKALIKES: readonly string[] = [
  ...['X_Forwarded_For', 'X_Forwarded_Proto', 'X_Forwarded_Host', 'X_Real_IP', 'X_Request_ID'],
].map((name) => `proxy_set_header ${name} "";`);

/**
 * A redirect of nginx's own (`/docs` to `/docs/`) names no scheme and no port: where a proxy stands in front,
 * nginx does not know the visitor's.
 */
export const RELATIVE_REDIRECTS = 'absolute_redirect off;';

/** Requests and answers as they come, of any size: nothing is kept in memory or on the disk. */
export const UNBUFFERED: readonly string[] = ['proxy_request_buffering off;', 'proxy_buffering off;'];
