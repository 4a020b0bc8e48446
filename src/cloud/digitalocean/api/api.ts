/**
 * The API's calls that this program makes, typed from validated answers. One function a call; lists are
 * read to their last page.
 */
import { z } from 'zod';
import {
  accountKeySchema,
  accountSchema,
  dropletSchema,
  firewallSchema,
  imageSchema,
  regionSchema,
  reservedSchema,
  sizeSchema,
  tagSchema,
  vpcMemberSchema,
  vpcSchema,
} from './answers.ts';
import { answerError, isStatus } from './api-error.ts';
import type { Transport } from './transport.ts';

/** What a droplet is made from; up to ten share one call. */
export interface NewDroplets {
  readonly names: readonly string[];
  readonly region: string;
  readonly size: string;
  readonly image: string | number;
  /** MD5 fingerprints of keys that the account has. */
  readonly ssh_keys: readonly string[];
  readonly tags: readonly string[];
  readonly user_data: string;
  readonly vpc_uuid: string;
}

export interface FirewallTarget {
  readonly addresses?: readonly string[];
  readonly tags?: readonly string[];
}

/** A whole firewall: a PUT resets what is left out. */
export interface NewFirewall {
  readonly name: string;
  readonly inbound_rules: readonly { protocol: string; ports: string; sources: FirewallTarget }[];
  readonly outbound_rules: readonly { protocol: string; ports: string; destinations: FirewallTarget }[];
  readonly tags: readonly string[];
}

export type DropletAction =
  | { readonly type: 'power_on' }
  | { readonly type: 'rename'; readonly name: string };

const PER_PAGE = 200;
/** Lists of what can be bought, not of what exists. */
const OFFERS: readonly string[] = ['/v2/regions', '/v2/sizes', '/v2/images'];
/** A fleet of 100 000: whoever answers with more pages answers in a circle. */
const MOST_PAGES = 500;

const links = z
  .object({ pages: z.object({ next: z.string().optional() }).nullish() })
  .nullish()
  .optional();

export type Api = ReturnType<typeof createApi>;

/**
 * Every function throws ApiError, or the context's abort reason. Long, since it is the list of calls: one
 * short function each.
 */
export function createApi(transport: Transport) {
  const { send } = transport;

  /**
   * All items of a list, each once although pages may shift while they are read.
   * @throws ApiError where the pages do not lead to an end: what a list of things that exist leaves out
   * would be made again
   */
  async function list<T>(
    path: string,
    field: string,
    item: z.ZodType<T>,
    identity: (item: T) => string | number,
    query: Record<string, string> = {},
  ): Promise<readonly T[]> {
    const page = z.looseObject({ [field]: z.array(item) }).and(z.object({ links }));
    const all = new Map<string | number, T>();
    let number = 1;
    while (number <= MOST_PAGES) {
      const answer = await send({
        method: 'GET',
        path,
        query: { ...query, per_page: PER_PAGE, ...(number === 1 ? {} : { page: number }) },
        answer: page,
      });
      for (const one of answer[field] as readonly T[]) all.set(identity(one), one);
      const following = answer.links?.pages?.next;
      if (following === undefined) return [...all.values()];
      // The address may name another host (a proxy); only its page counts, so that the token goes nowhere
      // else.
      const next = pageOf(following);
      if (next === undefined || next <= number) break;
      number = next;
    }
    // What is for sale may be incomplete: the worst that follows is a refusal.
    if (OFFERS.includes(path)) return [...all.values()];
    throw answerError({ method: 'GET', path }, 200, 'links.pages.next does not lead on');
  }

  const get = <T>(path: string, field: string, schema: z.ZodType<T>) =>
    send({ method: 'GET', path, answer: inside(field, schema) });

  /** @returns false where the API does not know it (any more) */
  async function remove(path: string, body?: unknown): Promise<boolean> {
    try {
      await send({ method: 'DELETE', path, body });
      return true;
    } catch (error) {
      if (isStatus(error, 404)) return false;
      throw error;
    }
  }

  /** Undefined where the API does not know what is asked for: not yet, or not any more. */
  async function known<T>(answer: Promise<T>): Promise<T | undefined> {
    try {
      return await answer;
    } catch (error) {
      if (isStatus(error, 404)) return undefined;
      throw error;
    }
  }

  return {
    account: () => get('/v2/account', 'account', accountSchema),
    regions: () => list('/v2/regions', 'regions', regionSchema, (region) => region.slug),
    sizes: () => list('/v2/sizes', 'sizes', sizeSchema, (size) => size.slug),
    images: (kind: 'distribution' | 'private') =>
      list(
        '/v2/images',
        'images',
        imageSchema,
        (image) => image.id,
        kind === 'private' ? { private: 'true' } : { type: kind },
      ),

    tags: () => list('/v2/tags', 'tags', tagSchema, (tag) => tag.name.toLowerCase()),
    /** Making a tag that exists changes nothing. */
    async createTag(name: string): Promise<void> {
      try {
        await send({ method: 'POST', path: '/v2/tags', body: { name }, repeat: 'safe' });
      } catch (error) {
        // Some versions of the API mind that it exists: then it can be read.
        if (!isStatus(error, 409, 422)) throw error;
        await get(`/v2/tags/${segment(name)}`, 'tag', tagSchema).catch(() => {
          throw error;
        });
      }
    },
    tagDroplets: (name: string, ids: readonly number[]) =>
      send({
        method: 'POST',
        path: `/v2/tags/${segment(name)}/resources`,
        body: dropletResources(ids),
        repeat: 'safe',
      }),
    untagDroplets: (name: string, ids: readonly number[]) =>
      remove(`/v2/tags/${segment(name)}/resources`, dropletResources(ids)),
    /** Takes the tag off everything that carries it. */
    deleteTag: (name: string) => remove(`/v2/tags/${segment(name)}`),

    /** The account's key with this MD5 fingerprint; undefined where it has none. */
    key: (fingerprint: string) =>
      known(get(`/v2/account/keys/${segment(fingerprint)}`, 'ssh_key', accountKeySchema)),
    /** At most ten calls a minute: for `destroy` alone. */
    keys: () => list('/v2/account/keys', 'ssh_keys', accountKeySchema, (key) => key.id),
    createKey: (name: string, publicKey: string) =>
      send({
        method: 'POST',
        path: '/v2/account/keys',
        body: { name, public_key: publicKey },
        answer: inside('ssh_key', accountKeySchema),
      }),
    deleteKey: (id: number) => remove(`/v2/account/keys/${id}`),

    vpcs: () => list('/v2/vpcs', 'vpcs', vpcSchema, (vpc) => vpc.id),
    vpcMembers: async (id: string) =>
      (await known(
        list(`/v2/vpcs/${segment(id)}/members`, 'members', vpcMemberSchema, (member) => member.urn),
      )) ?? [],
    createVpc: (body: { readonly name: string; readonly region: string; readonly description: string }) =>
      send({ method: 'POST', path: '/v2/vpcs', body, answer: inside('vpc', vpcSchema) }),
    deleteVpc: (id: string) => remove(`/v2/vpcs/${segment(id)}`),

    firewalls: () => list('/v2/firewalls', 'firewalls', firewallSchema, (firewall) => firewall.id),
    firewallsOf: async (dropletId: number) =>
      (await known(
        list(`/v2/droplets/${dropletId}/firewalls`, 'firewalls', firewallSchema, (firewall) => firewall.id),
      )) ?? [],
    createFirewall: (body: NewFirewall) =>
      send({ method: 'POST', path: '/v2/firewalls', body, answer: inside('firewall', firewallSchema) }),
    replaceFirewall: (id: string, body: NewFirewall) =>
      send({
        method: 'PUT',
        path: `/v2/firewalls/${segment(id)}`,
        body,
        answer: inside('firewall', firewallSchema),
      }),
    deleteFirewall: (id: string) => remove(`/v2/firewalls/${segment(id)}`),

    /** All of the account. */
    droplets: () => list('/v2/droplets', 'droplets', dropletSchema, (droplet) => droplet.id),
    dropletsWith: async (tag: string) => {
      const query = { tag_name: tag };
      const droplets = list('/v2/droplets', 'droplets', dropletSchema, (droplet) => droplet.id, query);
      return (await known(droplets)) ?? [];
    },
    /** What was made is read by tag afterwards; here it only has to be an answer. */
    createDroplets: (body: NewDroplets) =>
      send({
        method: 'POST',
        path: '/v2/droplets',
        body,
        answer: z.union([
          z.object({ droplets: z.array(dropletSchema).min(1) }),
          z.object({ droplet: dropletSchema }),
        ]),
      }),
    actOnDroplet: (id: number, action: DropletAction) =>
      send({ method: 'POST', path: `/v2/droplets/${id}/actions`, body: action }),
    /** Refused with 422 while something else is under way on it: `whenIdle`. */
    deleteDroplet: (id: number) => remove(`/v2/droplets/${id}`),

    reservedAddresses: () => list('/v2/reserved_ips', 'reserved_ips', reservedSchema, ({ ip }) => ip),
    reservedAddress: (ip: string) =>
      known(get(`/v2/reserved_ips/${segment(ip)}`, 'reserved_ip', reservedSchema)),
    assignReserved: (ip: string, droplet: number) =>
      send({
        method: 'POST',
        path: `/v2/reserved_ips/${segment(ip)}/actions`,
        body: { type: 'assign', droplet_id: droplet },
        repeat: 'safe',
      }),
  };
}

function inside<T>(field: string, schema: z.ZodType<T>): z.ZodType<T> {
  return z.object({ [field]: schema }).transform((value) => value[field] as T);
}

function dropletResources(ids: readonly number[]) {
  return { resources: ids.map((id) => ({ resource_id: String(id), resource_type: 'droplet' })) };
}

function pageOf(address: string): number | undefined {
  const page = Number(/[?&]page=(\d+)/.exec(address)?.[1]);
  return Number.isInteger(page) ? page : undefined;
}

/**
 * One part of a path. A colon may stand there as it is (RFC 3986, section 3.3), and logs are easier to read
 * with it.
 */
function segment(text: string): string {
  return encodeURIComponent(text).replaceAll('%3A', ':');
}
