/** What the API answers, as far as this program reads it; everything else in an answer is ignored. */
import { z } from 'zod';

const tags = z
  .array(z.string())
  .nullish()
  .transform((value) => value ?? []);

const network = z.object({
  ip_address: z.string().optional(),
  type: z.string().optional(),
});

export const dropletSchema = z.object({
  id: z.int().positive(),
  name: z.string(),
  /** new, active, off, archive; whatever else there may be one day is not ready. */
  status: z.string(),
  locked: z
    .boolean()
    .nullish()
    .transform((value) => value ?? false),
  created_at: z.string().optional(),
  size_slug: z.string(),
  size: z.object({ price_monthly: z.number().optional() }).nullish(),
  image: z.object({ id: z.int().optional(), slug: z.string().nullish() }).nullish(),
  region: z.object({ slug: z.string() }),
  networks: z
    .object({ v4: z.array(network).nullish() })
    .nullish()
    .transform((value) => value?.v4 ?? []),
  tags,
  vpc_uuid: z.string().nullish(),
});
export type Droplet = z.infer<typeof dropletSchema>;

export const reservedSchema = z.object({
  ip: z.string().min(1),
  droplet: z.object({ id: z.int() }).nullish(),
  /** Something is under way on it. */
  locked: z
    .boolean()
    .nullish()
    .transform((value) => value ?? false),
});

const target = z
  .object({
    addresses: z.array(z.string()).nullish(),
    tags: z.array(z.string()).nullish(),
    droplet_ids: z.array(z.int()).nullish(),
    load_balancer_uids: z.array(z.string()).nullish(),
    kubernetes_ids: z.array(z.string()).nullish(),
  })
  .nullish();

const rule = z.object({ protocol: z.string(), ports: z.union([z.string(), z.int()]).nullish() });

export const firewallSchema = z.object({
  id: z.string().min(1),
  name: z.string(),
  status: z.string().optional(),
  pending_changes: z
    .array(z.object({ droplet_id: z.int().optional(), status: z.string().optional() }))
    .nullish()
    .transform((value) => value ?? []),
  inbound_rules: z
    .array(rule.extend({ sources: target }))
    .nullish()
    .transform((value) => value ?? []),
  outbound_rules: z
    .array(rule.extend({ destinations: target }))
    .nullish()
    .transform((value) => value ?? []),
  droplet_ids: z
    .array(z.int())
    .nullish()
    .transform((value) => value ?? []),
  tags,
});
export type Firewall = z.infer<typeof firewallSchema>;

export const vpcSchema = z.object({
  id: z.string().min(1),
  name: z.string(),
  description: z.string().nullish(),
  region: z.string(),
  default: z
    .boolean()
    .nullish()
    .transform((value) => value ?? false),
});
export type Vpc = z.infer<typeof vpcSchema>;

export const vpcMemberSchema = z.object({ urn: z.string(), name: z.string().nullish() });
export type VpcMember = z.infer<typeof vpcMemberSchema>;

export const accountKeySchema = z.object({
  id: z.int().positive(),
  fingerprint: z.string(),
  public_key: z.string(),
  name: z.string(),
});
export type AccountKey = z.infer<typeof accountKeySchema>;

const count = z.object({ count: z.int().optional() }).nullish();

export const tagSchema = z.object({
  name: z.string(),
  /** How many things other than droplets carry it; `imgages` is the contract's own spelling. */
  resources: z
    .object({ images: count, imgages: count, volumes: count, volume_snapshots: count, databases: count })
    .nullish()
    .transform((value) => Math.max(0, ...Object.values(value ?? {}).map((kind) => kind?.count ?? 0))),
});
export type Tag = z.infer<typeof tagSchema>;

export const accountSchema = z.object({
  droplet_limit: z.int(),
  status: z.string().optional(),
  status_message: z.string().nullish(),
});
export type CloudAccount = z.infer<typeof accountSchema>;

export const sizeSchema = z.object({
  slug: z.string(),
  available: z.boolean(),
  regions: z.array(z.string()),
  price_monthly: z.number(),
  memory: z.number(),
  vcpus: z.number(),
  disk: z.number(),
});
export type Size = z.infer<typeof sizeSchema>;

export const regionSchema = z.object({
  slug: z.string(),
  name: z.string(),
  available: z.boolean(),
  sizes: z.array(z.string()),
});
export type Region = z.infer<typeof regionSchema>;

export const imageSchema = z.object({
  id: z.int(),
  slug: z.string().nullish(),
  name: z.string().nullish(),
  distribution: z.string().nullish(),
  regions: z
    .array(z.string())
    .nullish()
    .transform((value) => value ?? []),
  min_disk_size: z.number().nullish(),
});
export type Image = z.infer<typeof imageSchema>;

/** The body of an error; some calls answer with `error` and `root_causes` instead. */
export const errorSchema = z.object({
  id: z.string().optional(),
  message: z.string().optional(),
  request_id: z.string().optional(),
  error: z.string().optional(),
  root_causes: z.array(z.string()).optional(),
});
