// bench/doshow/main.ts
import { mkdtempSync as mkdtempSync2 } from "node:fs";
import { rm as rm5 } from "node:fs/promises";
import { tmpdir as tmpdir2 } from "node:os";
import { join as join4 } from "node:path";
import { parseArgs } from "node:util";

// src/cloud/digitalocean/clock.ts
import { setTimeout as delay } from "node:timers/promises";
function systemClock() {
  return { now: () => performance.now(), sleep: pause, random: Math.random };
}
async function pause(ms, signal) {
  signal.throwIfAborted();
  try {
    await delay(ms, void 0, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
function fastClock(factor, random = Math.random) {
  return {
    now: () => performance.now() * factor,
    sleep: (ms, signal) => pause(ms / factor, signal),
    random
  };
}

// src/cloud/digitalocean/provider.ts
import { join as join3 } from "node:path";

// src/cloud/digitalocean/api.ts
import { z as z2 } from "zod";

// src/cloud/digitalocean/answers.ts
import { z } from "zod";
var tags = z.array(z.string()).nullish().transform((value) => value ?? []);
var network = z.object({
  ip_address: z.string().optional(),
  type: z.string().optional()
});
var dropletSchema = z.object({
  id: z.int().positive(),
  name: z.string(),
  status: z.enum(["new", "active", "off", "archive"]),
  locked: z.boolean().nullish().transform((value) => value ?? false),
  created_at: z.string().optional(),
  size_slug: z.string(),
  size: z.object({ price_monthly: z.number().optional() }).nullish(),
  image: z.object({ id: z.int().optional(), slug: z.string().nullish() }).nullish(),
  region: z.object({ slug: z.string() }),
  networks: z.object({ v4: z.array(network).nullish() }).nullish().transform((value) => value?.v4 ?? []),
  tags,
  vpc_uuid: z.string().nullish()
});
var target = z.object({
  addresses: z.array(z.string()).nullish(),
  tags: z.array(z.string()).nullish(),
  droplet_ids: z.array(z.int()).nullish(),
  load_balancer_uids: z.array(z.string()).nullish(),
  kubernetes_ids: z.array(z.string()).nullish()
}).nullish();
var rule = z.object({ protocol: z.string(), ports: z.union([z.string(), z.int()]).nullish() });
var firewallSchema = z.object({
  id: z.string().min(1),
  name: z.string(),
  status: z.string().optional(),
  pending_changes: z.array(z.object({ droplet_id: z.int().optional(), status: z.string().optional() })).nullish().transform((value) => value ?? []),
  inbound_rules: z.array(rule.extend({ sources: target })).nullish().transform((value) => value ?? []),
  outbound_rules: z.array(rule.extend({ destinations: target })).nullish().transform((value) => value ?? []),
  droplet_ids: z.array(z.int()).nullish().transform((value) => value ?? []),
  tags
});
var vpcSchema = z.object({
  id: z.string().min(1),
  name: z.string(),
  description: z.string().nullish(),
  region: z.string(),
  default: z.boolean().nullish().transform((value) => value ?? false)
});
var vpcMemberSchema = z.object({ urn: z.string(), name: z.string().nullish() });
var accountKeySchema = z.object({
  id: z.int().positive(),
  fingerprint: z.string(),
  public_key: z.string(),
  name: z.string()
});
var count = z.object({ count: z.int().optional() }).nullish();
var tagSchema = z.object({
  name: z.string(),
  /** How many things other than droplets carry it; `imgages` is the contract's own spelling. */
  resources: z.object({ images: count, imgages: count, volumes: count, volume_snapshots: count, databases: count }).nullish().transform((value) => Math.max(0, ...Object.values(value ?? {}).map((kind) => kind?.count ?? 0)))
});
var accountSchema = z.object({
  droplet_limit: z.int(),
  status: z.string().optional(),
  status_message: z.string().nullish()
});
var sizeSchema = z.object({
  slug: z.string(),
  available: z.boolean(),
  regions: z.array(z.string()),
  price_monthly: z.number(),
  memory: z.number(),
  vcpus: z.number(),
  disk: z.number()
});
var regionSchema = z.object({
  slug: z.string(),
  name: z.string(),
  available: z.boolean(),
  sizes: z.array(z.string())
});
var imageSchema = z.object({
  id: z.int(),
  slug: z.string().nullish(),
  name: z.string().nullish(),
  distribution: z.string().nullish(),
  regions: z.array(z.string()).nullish().transform((value) => value ?? []),
  min_disk_size: z.number().nullish()
});
var errorSchema = z.object({
  id: z.string().optional(),
  message: z.string().optional(),
  request_id: z.string().optional(),
  error: z.string().optional(),
  root_causes: z.array(z.string()).optional()
});

// src/errors.ts
var EXIT_CODES = {
  internal: 1,
  usage: 2,
  host: 3,
  cloud: 3,
  locked: 4,
  rejected: 5,
  inconclusive: 6,
  interrupted: 130
};
var Failure = class extends Error {
  name = "Failure";
  kind;
  host;
  step;
  next;
  output;
  constructor(kind, message, details = {}) {
    super(message, details.cause === void 0 ? void 0 : { cause: details.cause });
    this.kind = kind;
    this.host = details.host;
    this.step = details.step;
    this.next = details.next;
    this.output = details.output ?? [];
  }
  get exitCode() {
    return EXIT_CODES[this.kind];
  }
};
function asFailure(thrown) {
  if (thrown instanceof Failure) return thrown;
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  return new Failure("internal", error.message, {
    cause: error,
    next: "This is a fault of pipeline itself: run the command again with --verbose and report what it prints."
  });
}
function closest(word, known) {
  let best;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}
function editDistance(a, b) {
  let beforeLast = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

// src/cloud/digitalocean/api-error.ts
var ApiError = class extends Failure {
  call;
  status;
  effect;
  transient;
  waitMs;
  said;
  constructor(message, details) {
    const { call, requestId } = details;
    const id = requestId === void 0 ? "" : `, request ${requestId}`;
    super(details.kind ?? "cloud", `${message} (${call.method} ${call.path}${id})`, {
      next: details.next,
      cause: details.cause
    });
    this.call = call;
    this.status = details.status;
    this.effect = details.effect;
    this.transient = details.transient;
    this.waitMs = details.waitMs;
    this.said = details.said ?? "";
  }
};
function isStatus(thrown, ...statuses) {
  return thrown instanceof ApiError && statuses.includes(thrown.status);
}
var TOKENS = "https://cloud.digitalocean.com/account/api/tokens";
function refusalError(refusal) {
  const { call, status, said, tokenName: tokenName2 } = refusal;
  const quoted = said === "" ? `status ${status}` : `${status}: ${said}`;
  const base = {
    call,
    status,
    said,
    requestId: refusal.requestId,
    waitMs: refusal.waitMs,
    effect: "none",
    transient: false
  };
  if (status === 401) {
    return new ApiError(`DigitalOcean does not accept ${tokenName2} (${quoted})`, {
      ...base,
      kind: "usage",
      next: `It is mistyped, revoked or expired. Make a new one at ${TOKENS} and export it as DOTOKEN.`
    });
  }
  if (status === 403) {
    const what = call.method === "GET" ? `read ${call.path}` : "change this account";
    return new ApiError(`${tokenName2} may not ${what} (${quoted})`, {
      ...base,
      kind: "usage",
      next: `Make a token with full access, or read and write scope for droplet, firewall, ssh_key, tag and vpc, at ${TOKENS}.`
    });
  }
  if (status === 429) {
    return new ApiError(`DigitalOcean takes no more calls for now (${quoted})`, {
      ...base,
      transient: true,
      next: "Wait some minutes and run the command again: it goes on from what exists."
    });
  }
  if (status >= 500) {
    return new ApiError(`DigitalOcean has a fault (${quoted})`, {
      ...base,
      effect: "unknown",
      transient: true,
      next: "See https://status.digitalocean.com and run the command again: it goes on from what exists."
    });
  }
  return new ApiError(`DigitalOcean refused (${quoted})`, { ...base, ...adviceFor(said) });
}
function adviceFor(said) {
  const rules2 = [
    [
      /\btags? (limit|count)|too many tags/i,
      "Remove tags that nothing uses at https://cloud.digitalocean.com/tags, then run the command again."
    ],
    [
      /droplet limit|exceed.*limit|limit.*exceed/i,
      "Remove what you no longer need, or ask for a higher limit at https://cloud.digitalocean.com/account/team/droplet_limit_increase, then run the command again."
    ],
    [
      /size|sold out|not available|unavailable|capacity/i,
      "Choose another size or region in pipeline.yml: pipeline prod plan says which exist."
    ],
    [
      /payment|billing|card|locked|verif/i,
      "See https://cloud.digitalocean.com/account/billing, then run the command again."
    ]
  ];
  const found = rules2.find(([pattern]) => pattern.test(said));
  return {
    next: found?.[1] ?? "See the answer above; --verbose shows every call. Then run the command again."
  };
}
var NOT_SENT = {
  ENOTFOUND: "its name does not resolve",
  EAI_AGAIN: "no name server answers",
  ECONNREFUSED: "nothing listens there",
  ENETUNREACH: "there is no network",
  EHOSTUNREACH: "there is no route to it",
  UND_ERR_CONNECT_TIMEOUT: "it does not answer"
};
var CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS|EPROTO|ERR_SSL/;
function networkError(call, origin, thrown) {
  const cause = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown;
  const code = cause?.code ?? "";
  const why = cause instanceof Error ? cause.message : String(cause);
  const base = { call, status: 0, cause: new Error(`${code} ${why}`.trim()) };
  if (CERTIFICATE.test(code)) {
    return new ApiError(`The certificate of ${origin} is not trusted (${code})`, {
      ...base,
      effect: "none",
      transient: false,
      next: code.includes("NOT_YET") || code.includes("EXPIRED") ? `Set this machine's clock: it says ${(/* @__PURE__ */ new Date()).toISOString()}.` : "Behind a proxy that opens TLS, name its certificate in NODE_EXTRA_CA_CERTS. Nothing was sent."
    });
  }
  const notSent = NOT_SENT[code];
  if (notSent !== void 0) {
    return new ApiError(`${origin} cannot be reached: ${notSent} (${code})`, {
      ...base,
      effect: "none",
      transient: true,
      next: "See whether this machine has a network, and DIGITALOCEAN_API_URL where it is set. Then run the command again."
    });
  }
  return new ApiError(`The connection to ${origin} broke off (${code === "" ? why : code})`, {
    ...base,
    effect: "unknown",
    transient: true,
    next: "Run the command again: it goes on from what exists."
  });
}
function timeoutError(call, origin, ms) {
  return new ApiError(`${origin} did not answer within ${ms / 1e3} s`, {
    call,
    status: 0,
    effect: "unknown",
    transient: true,
    next: "See https://status.digitalocean.com and run the command again: it goes on from what exists."
  });
}
function answerError(call, status, what, requestId) {
  return new ApiError(`The answer to this call is not what the API promises: ${what}`, {
    call,
    status,
    requestId,
    effect: "unknown",
    transient: true,
    next: "Something between here and DigitalOcean may change answers (a proxy?). Run the command again: it goes on from what exists."
  });
}

// src/cloud/digitalocean/api.ts
var PER_PAGE = 200;
var MOST_PAGES = 500;
var links = z2.object({ pages: z2.object({ next: z2.string().optional() }).nullish() }).nullish().optional();
function createApi(transport) {
  const { send: send2 } = transport;
  async function list2(path, field2, item, identity, query = {}) {
    const page2 = z2.looseObject({ [field2]: z2.array(item) }).and(z2.object({ links }));
    const all = /* @__PURE__ */ new Map();
    let number = 1;
    while (number <= MOST_PAGES) {
      const answer2 = await send2({
        method: "GET",
        path,
        query: { ...query, per_page: PER_PAGE, ...number === 1 ? {} : { page: number } },
        answer: page2
      });
      for (const one of answer2[field2]) all.set(identity(one), one);
      const following = answer2.links?.pages?.next;
      if (following === void 0) return [...all.values()];
      const next = pageOf(following);
      if (next === void 0 || next <= number) break;
      number = next;
    }
    throw answerError({ method: "GET", path }, 200, "links.pages.next does not lead on");
  }
  const get = (path, field2, schema) => send2({ method: "GET", path, answer: inside(field2, schema) });
  async function remove3(path, body) {
    try {
      await send2({ method: "DELETE", path, body });
    } catch (error) {
      if (!isStatus(error, 404)) throw error;
    }
  }
  return {
    account: () => get("/v2/account", "account", accountSchema),
    regions: () => list2("/v2/regions", "regions", regionSchema, (region) => region.slug),
    sizes: () => list2("/v2/sizes", "sizes", sizeSchema, (size) => size.slug),
    images: (kind) => list2(
      "/v2/images",
      "images",
      imageSchema,
      (image) => image.id,
      kind === "private" ? { private: "true" } : { type: kind }
    ),
    tags: () => list2("/v2/tags", "tags", tagSchema, (tag) => tag.name.toLowerCase()),
    /** Making a tag that exists changes nothing. */
    async createTag(name) {
      try {
        await send2({ method: "POST", path: "/v2/tags", body: { name }, repeat: "safe" });
      } catch (error) {
        if (!isStatus(error, 409, 422)) throw error;
        await get(`/v2/tags/${segment(name)}`, "tag", tagSchema).catch(() => {
          throw error;
        });
      }
    },
    tagDroplets: (name, ids) => send2({
      method: "POST",
      path: `/v2/tags/${segment(name)}/resources`,
      body: dropletResources(ids),
      repeat: "safe"
    }),
    untagDroplets: (name, ids) => remove3(`/v2/tags/${segment(name)}/resources`, dropletResources(ids)),
    /** Takes the tag off everything that carries it. */
    deleteTag: (name) => remove3(`/v2/tags/${segment(name)}`),
    /** The account's key with this MD5 fingerprint; undefined where it has none. */
    async key(fingerprint) {
      try {
        return await get(`/v2/account/keys/${segment(fingerprint)}`, "ssh_key", accountKeySchema);
      } catch (error) {
        if (isStatus(error, 404)) return void 0;
        throw error;
      }
    },
    /** At most ten calls a minute: for `destroy` alone. */
    keys: () => list2("/v2/account/keys", "ssh_keys", accountKeySchema, (key) => key.id),
    createKey: (name, publicKey) => send2({
      method: "POST",
      path: "/v2/account/keys",
      body: { name, public_key: publicKey },
      answer: inside("ssh_key", accountKeySchema)
    }),
    deleteKey: (id) => remove3(`/v2/account/keys/${id}`),
    vpcs: () => list2("/v2/vpcs", "vpcs", vpcSchema, (vpc) => vpc.id),
    vpcMembers: (id) => list2(`/v2/vpcs/${segment(id)}/members`, "members", vpcMemberSchema, (member) => member.urn),
    createVpc: (body) => send2({ method: "POST", path: "/v2/vpcs", body, answer: inside("vpc", vpcSchema) }),
    deleteVpc: (id) => remove3(`/v2/vpcs/${segment(id)}`),
    firewalls: () => list2("/v2/firewalls", "firewalls", firewallSchema, (firewall) => firewall.id),
    firewallsOf: (dropletId) => list2(`/v2/droplets/${dropletId}/firewalls`, "firewalls", firewallSchema, (firewall) => firewall.id),
    createFirewall: (body) => send2({ method: "POST", path: "/v2/firewalls", body, answer: inside("firewall", firewallSchema) }),
    replaceFirewall: (id, body) => send2({
      method: "PUT",
      path: `/v2/firewalls/${segment(id)}`,
      body,
      answer: inside("firewall", firewallSchema)
    }),
    deleteFirewall: (id) => remove3(`/v2/firewalls/${segment(id)}`),
    droplets: (tag) => list2(
      "/v2/droplets",
      "droplets",
      dropletSchema,
      (droplet) => droplet.id,
      tag === void 0 ? {} : { tag_name: tag }
    ),
    createDroplets: (body) => send2({
      method: "POST",
      path: "/v2/droplets",
      body,
      answer: z2.object({ droplets: z2.array(dropletSchema) }).transform((value) => value.droplets)
    }),
    actOnDroplet: (id, action) => send2({ method: "POST", path: `/v2/droplets/${id}/actions`, body: action }),
    /** Refused with 422 while something else is under way on it: `whenIdle`. */
    deleteDroplet: (id) => remove3(`/v2/droplets/${id}`)
  };
}
function inside(field2, schema) {
  return z2.object({ [field2]: schema }).transform((value) => value[field2]);
}
function dropletResources(ids) {
  return { resources: ids.map((id) => ({ resource_id: String(id), resource_type: "droplet" })) };
}
function pageOf(address) {
  const page2 = Number(/[?&]page=(\d+)/.exec(address)?.[1]);
  return Number.isInteger(page2) ? page2 : void 0;
}
function segment(text2) {
  return encodeURIComponent(text2).replaceAll("%3A", ":");
}

// src/cloud/digitalocean/create-once.ts
var LOOKS = [0, 500, 1500, 3e3, 6e3];
var ATTEMPTS = 3;
async function createOnce(options) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await options.create();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const exists = isStatus(error, ...options.existsStatus ?? [409, 422]);
      if (error.effect === "none" && !exists) throw error;
      const found = await lookLater(options, exists ? LOOKS.slice(0, 3) : LOOKS);
      if (found !== void 0) return found;
      if (exists || attempt >= ATTEMPTS) throw error;
    }
  }
}
async function lookLater(options, pauses) {
  for (const pause3 of pauses) {
    if (pause3 > 0) await options.clock.sleep(pause3, options.signal);
    const found = await options.look();
    if (found !== void 0) return found;
  }
  return void 0;
}

// src/cloud/digitalocean/names.ts
import { createHash as createHash2 } from "node:crypto";

// src/cloud/ed25519.ts
import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
var TYPE = "ssh-ed25519";
function generateEd25519(comment = "") {
  const { privateKey } = generateKeyPairSync("ed25519");
  const jwk = privateKey.export({ format: "jwk" });
  const seed = Buffer.from(jwk.d ?? "", "base64url");
  const point = Buffer.from(jwk.x ?? "", "base64url");
  return { privateKey: openSshPrivateKey(seed, point, comment), publicKey: publicKeyLine(point) };
}
function publicKeyLine(point) {
  return `${TYPE} ${Buffer.concat([field(TYPE), field(point)]).toString("base64")}`;
}
function publicKeyPoint(line) {
  const [type, base64] = line.trim().split(/\s+/);
  if (type !== TYPE || base64 === void 0) return void 0;
  const blob = Buffer.from(base64, "base64");
  const head = field(TYPE);
  const ok = blob.length === head.length + 36 && blob.subarray(0, head.length).equals(head);
  return ok && blob.readUInt32BE(head.length) === 32 ? blob.subarray(head.length + 4) : void 0;
}
function md5Fingerprint(line) {
  const blob = Buffer.from(line.trim().split(/\s+/)[1] ?? "", "base64");
  return (createHash("md5").update(blob).digest("hex").match(/../g) ?? []).join(":");
}
function publicKeyOf(privateKey) {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]+?)-----END OPENSSH PRIVATE KEY-----/.exec(
    privateKey
  )?.[1];
  const bytes = Buffer.from(body ?? "", "base64");
  const marker = bytes.indexOf(field(TYPE));
  const start = marker + field(TYPE).length + 4;
  return marker < 0 || bytes.length < start + 32 ? void 0 : publicKeyLine(bytes.subarray(start, start + 32));
}
function openSshPrivateKey(seed, point, comment) {
  const check = randomBytes(4);
  const inner = Buffer.concat([
    ...[check, check, field(TYPE), field(point), field(Buffer.concat([seed, point])), field(comment)]
  ]);
  const padding = Buffer.from(Array.from({ length: (8 - inner.length % 8) % 8 }, (_, index) => index + 1));
  const count2 = Buffer.from([0, 0, 0, 1]);
  const blob = Buffer.concat([
    ...[Buffer.from("openssh-key-v1\0"), field("none"), field("none"), field(""), count2],
    ...[field(Buffer.concat([field(TYPE), field(point)])), field(Buffer.concat([inner, padding]))]
  ]);
  const lines2 = blob.toString("base64").match(/.{1,70}/g) ?? [];
  return ["-----BEGIN OPENSSH PRIVATE KEY-----", ...lines2, "-----END OPENSSH PRIVATE KEY-----", ""].join(
    "\n"
  );
}
function field(content) {
  const bytes = Buffer.from(content);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

// src/cloud/digitalocean/names.ts
var TAG = /^[a-zA-Z0-9_\-:]+$/;
var TAG_LENGTH = 255;
var PART_LENGTH = 50;
function marksOf(spec2) {
  const project = part(spec2.project);
  const environment = part(spec2.environment);
  const mark = shortHash(`${spec2.owner}
${spec2.project}
${spec2.environment}`);
  const tag = `pipeline:${project}:${environment}`;
  return {
    environment: tag,
    owner: `${tag}:owner:${part(spec2.owner)}`,
    prefix: `${tag}:${mark}:`,
    name: `pipeline-${project}-${environment}-${mark}`.replaceAll("_", "-"),
    description: `Made by pipeline for ${project}/${environment}, owner ${part(spec2.owner)}.`
  };
}
function groupTag(marks, group) {
  return `${marks.prefix}group:${part(group)}`;
}
function keyTag(marks, fingerprint) {
  return `${marks.prefix}key:${fingerprint.replaceAll(":", "")}`;
}
function fingerprintOfTag(marks, tag) {
  const hex = below(`${marks.prefix}key:`, tag);
  return hex !== void 0 && /^[0-9a-f]{32}$/.test(hex) ? (hex.match(/../g) ?? []).join(":") : void 0;
}
function hostKeyTag(marks, age, publicKey) {
  const point = publicKeyPoint(publicKey);
  if (point === void 0) throw new RangeError(`not an ed25519 public key: ${publicKey.slice(0, 40)}`);
  return `${marks.prefix}${age}-key:${point.toString("hex")}`;
}
function hostKeysOf(marks, age, tags2) {
  return tags2.flatMap((tag) => {
    const hex = below(`${marks.prefix}${age}-key:`, tag);
    return hex !== void 0 && /^[0-9a-f]{64}$/.test(hex) ? [publicKeyLine(Buffer.from(hex, "hex"))] : [];
  });
}
function groupOf(marks, tags2) {
  for (const tag of tags2) {
    const group = below(`${marks.prefix}group:`, tag);
    if (group !== void 0) return group;
  }
  return void 0;
}
function firewallName(marks, group) {
  return `${marks.name}-${part(group).replaceAll("_", "-")}`;
}
function networkName(marks, region) {
  return `${marks.name}-${part(region)}`;
}
function isNameOf(base, name) {
  const rest = below(base.toLowerCase(), name.toLowerCase());
  return rest !== void 0 && (rest === "" || /^-[2-9]\d?$/.test(rest));
}
function freeName(base, taken) {
  const names = new Set([...taken].map((name) => name.toLowerCase()));
  if (!names.has(base.toLowerCase())) return base;
  let number = 2;
  while (names.has(`${base}-${number}`.toLowerCase())) number++;
  return `${base}-${number}`;
}
function hasTag(tags2, tag) {
  return tags2.some((other) => other.toLowerCase() === tag.toLowerCase());
}
function isTag(text2) {
  return TAG.test(text2) && text2.length <= TAG_LENGTH;
}
function part(text2) {
  if (/^[a-z0-9]([a-z0-9_-]*[a-z0-9])?$/.test(text2) && text2.length <= PART_LENGTH) return text2;
  const plain = text2.toLowerCase().replace(/[^a-z0-9_-]+/g, "-").replace(/^[-_]+/, "");
  return `${plain.slice(0, PART_LENGTH - 9)}-${shortHash(text2)}`.replace(/^-/, "x-");
}
function below(start, text2) {
  const lower = text2.toLowerCase();
  return lower.startsWith(start) ? lower.slice(start.length) : void 0;
}
function shortHash(text2) {
  return createHash2("sha256").update(text2).digest("hex").slice(0, 8);
}

// src/cloud/digitalocean/wait.ts
async function until(waiting, look) {
  const { clock: clock2, signal } = waiting;
  const deadline = clock2.now() + waiting.withinMs;
  for (; ; ) {
    const value = await look();
    if (value !== void 0) return value;
    if (clock2.now() >= deadline) return void 0;
    await clock2.sleep(waiting.everyMs * (0.9 + clock2.random() / 5), signal);
  }
}
var EVENT_MS = 5 * 6e4;
async function whenIdle(clock2, signal, act3) {
  let refused;
  const done = await until({ clock: clock2, signal, everyMs: 3e3, withinMs: EVENT_MS }, async () => {
    try {
      await act3();
      return true;
    } catch (error) {
      if (!isStatus(error, 422) || !/pending|event|locked|progress/i.test(error.said)) throw error;
      refused = error;
      return void 0;
    }
  });
  if (done === void 0 && refused !== void 0) throw refused;
}
async function together(tasks) {
  const results = await Promise.allSettled(tasks);
  for (const result of results) if (result.status === "rejected") throw result.reason;
  return results.map((result) => result.value);
}
async function eachOf(items, width, work) {
  const results = [];
  let next = 0;
  async function worker() {
    for (let index = next++; index < items.length; index = next++) {
      const item = items[index];
      const [result] = await Promise.allSettled([work(item)]);
      results[index] = result;
    }
  }
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
  return results;
}

// src/cloud/digitalocean/firewalls-in-force.ts
var EVERY_MS = 2e3;
var WITHIN_MS = 3 * 6e4;
async function firewallsInForce(work, droplets2, changed) {
  if (droplets2.length === 0 && changed.length === 0) return;
  const { api, marks, clock: clock2, context } = work;
  const waiting = { clock: clock2, signal: context.signal, everyMs: EVERY_MS, withinMs: WITHIN_MS };
  const stage = "firewalls";
  context.progress({ stage, state: "running", detail: "taking effect" });
  const tags2 = droplets2.map(
    (droplet) => groupTag(marks, work.spec.machines.find(({ name }) => name === droplet.name)?.group ?? droplet.name)
  );
  let open2 = [];
  const settled = await until(waiting, async () => {
    const concerned = (await api.firewalls()).filter(
      (firewall) => changed.includes(firewall.name) || firewall.tags.some((tag) => hasTag(tags2, tag))
    );
    const failed = concerned.find(({ status }) => status === "failed");
    if (failed !== void 0) {
      throw new Failure("cloud", `DigitalOcean could not apply the firewall ${failed.name}`, {
        step: `firewall ${failed.name}`,
        next: `See https://cloud.digitalocean.com/networking/firewalls/${failed.id}, then run the command again.`
      });
    }
    open2 = concerned.filter((one) => one.pending_changes.length > 0 || one.status === "waiting").map(({ name }) => name);
    return open2.length === 0 ? true : void 0;
  });
  if (settled === void 0) throw notInForce(open2);
  await together(
    droplets2.map(async (droplet, index) => {
      const tag = tags2[index] ?? "";
      const guarded = await until(
        waiting,
        async () => (await api.firewallsOf(droplet.id)).some((firewall) => hasTag(firewall.tags, tag)) ? true : void 0
      );
      if (guarded === void 0) throw notInForce([`${droplet.name} is guarded by none of its own`]);
    })
  );
  context.progress({ stage, state: "done" });
}
function notInForce(what) {
  return new Failure("cloud", `The firewalls have not taken effect after ${WITHIN_MS / 6e4} minutes`, {
    step: "firewalls",
    output: what,
    next: "Nothing was installed on unguarded droplets. See https://status.digitalocean.com, then run the command again."
  });
}

// src/cloud/operator-key.ts
import { randomBytes as randomBytes3 } from "node:crypto";
import { chmod, link, mkdir as mkdir2, readFile as readFile2, rename as rename2, rm as rm2, writeFile } from "node:fs/promises";
import { dirname as dirname2, join } from "node:path";

// src/files.ts
import { randomBytes as randomBytes2 } from "node:crypto";
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname, relative } from "node:path";
async function writeFileAtomic(path, content, mode = 420) {
  const bytes = typeof content === "string" ? Buffer.from(content) : Buffer.from(content);
  const before = await readFile(path).catch((error) => {
    if (error.code === "ENOENT") return void 0;
    throw error;
  });
  if (before?.equals(bytes)) return false;
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${randomBytes2(6).toString("hex")}.tmp`;
  try {
    const file = await open(temporary, "wx", mode);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  return true;
}

// src/cloud/operator-key.ts
function operatorKeyFile(directory2, environment) {
  return join(directory2, ".pipeline", "keys", environment);
}
async function findOperatorKey(directory2, environment) {
  const identityFile = operatorKeyFile(directory2, environment);
  const text2 = await readFile2(identityFile, "utf8").catch((error) => {
    if (error.code === "ENOENT") return void 0;
    throw new Failure("usage", `${identityFile} cannot be read (${error.code})`, {
      cause: error,
      next: "Make it readable for you, or run the command as the user who owns it."
    });
  });
  if (text2 === void 0) return void 0;
  const publicKey = publicKeyOf(text2);
  if (publicKey === void 0) {
    throw new Failure("usage", `${identityFile} holds no ed25519 key of OpenSSH`, {
      next: "Put back the key that was there. Where the environment has no hosts yet, remove the file: a new key is made."
    });
  }
  return { identityFile, publicKey: `${publicKey} pipeline ${environment}` };
}
async function operatorKey(directory2, environment) {
  const existing = await findOperatorKey(directory2, environment);
  if (existing === void 0)
    await makeKey(operatorKeyFile(directory2, environment), `pipeline ${environment}`);
  const key = existing ?? await findOperatorKey(directory2, environment);
  if (key === void 0)
    throw new Error(`${operatorKeyFile(directory2, environment)} was removed while it was made`);
  await chmod(key.identityFile, 384);
  await writeFileAtomic(`${key.identityFile}.pub`, `${key.publicKey}
`);
  return key;
}
async function makeKey(path, comment) {
  await mkdir2(dirname2(path), { recursive: true, mode: 448 });
  const temporary = `${path}.${randomBytes3(6).toString("hex")}.tmp`;
  try {
    await writeFile(temporary, generateEd25519(comment).privateKey, { mode: 384, flag: "wx", flush: true });
    await link(temporary, path).catch((error) => {
      if (error.code === "EEXIST") return;
      if (error.code === "EPERM" || error.code === "ENOTSUP") return rename2(temporary, path);
      throw error;
    });
  } finally {
    await rm2(temporary, { force: true });
  }
}

// src/cloud/digitalocean/machines.ts
function isFresh(droplet, marks) {
  return hostKeysOf(marks, "new", droplet.tags).length > 0;
}
function addressOf(droplet, type) {
  return droplet.networks.find((network3) => network3.type === type)?.ip_address ?? "";
}
function acceptedHostKeys(droplet, marks) {
  return [...hostKeysOf(marks, "host", droplet.tags), ...hostKeysOf(marks, "new", droplet.tags)];
}
function toMachine(droplet, spec2, marks) {
  const address = addressOf(droplet, "public");
  const regions = new Set(spec2.machines.map(({ region }) => region));
  const privateAddress = regions.size > 1 ? "" : addressOf(droplet, "private");
  const hostKeys = acceptedHostKeys(droplet, marks);
  return {
    name: droplet.name,
    group: spec2.machines.find(({ name }) => name === droplet.name)?.group ?? groupOf(marks, droplet.tags) ?? droplet.name,
    address,
    privateAddress: privateAddress === "" ? address : privateAddress,
    state: stateOf(droplet, hostKeys, isFresh(droplet, marks)),
    user: "root",
    port: 22,
    identityFile: operatorKeyFile(spec2.directory, spec2.environment),
    hostKeys,
    monthlyCost: droplet.size?.price_monthly ?? 0
  };
}
function stateOf(droplet, hostKeys, fresh) {
  if (droplet.status === "off") return "stopped";
  if (droplet.status === "archive") return "broken";
  if (droplet.status === "new" || fresh || addressOf(droplet, "public") === "") return "starting";
  return hostKeys.length === 0 ? "broken" : "running";
}
function lacksHostKey(droplet, marks) {
  return acceptedHostKeys(droplet, marks).length === 0;
}
function unknownHostKey(droplet, marks) {
  const show = "ssh-keygen -y -f /etc/ssh/ssh_host_ed25519_key | cut -d' ' -f2 | base64 -d | tail -c 32 | od -An -vtx1 | tr -d ' \\n'";
  return new Failure(
    "host",
    `${droplet.name}: nobody knows its host key any more (its tag ${marks.prefix}host-key:\u2026 is gone), so no connection would be safe`,
    {
      host: droplet.name,
      step: "host key",
      next: `Open its console, https://cloud.digitalocean.com/droplets/${droplet.id}/console, run "${show}", and give the droplet the tag ${marks.prefix}host-key:RESULT. Or delete the droplet and run pipeline prod up: a new one is made.`
    }
  );
}

// src/cloud/digitalocean/first-contact.ts
var WIDTH = 50;
async function firstContacts(work, droplets2) {
  const results = await eachOf(droplets2, WIDTH, (droplet) => contact(work, droplet));
  const finished = droplets2.filter((_, index) => results[index]?.status === "fulfilled");
  await forgetNewKeys(work, droplets2, finished);
  const failures = results.flatMap(
    (result, index) => result.status === "rejected" ? [{ error: result.reason, name: droplets2[index]?.name }] : []
  );
  const [first] = failures;
  if (first === void 0) return;
  work.context.signal.throwIfAborted();
  if (failures.length === 1) throw first.error;
  const { kind, message, next } = asFailure(first.error);
  throw new Failure(
    kind,
    `${failures.length} of ${droplets2.length} droplets could not be taken over; the first: ${message}`,
    {
      host: first.name,
      step: "first contact",
      output: failures.map(({ name, error }) => `${name}: ${asFailure(error).message}`),
      next,
      cause: first.error
    }
  );
}
async function contact(work, droplet) {
  const { context, marks, api } = work;
  const { name } = droplet;
  const stage = "first contact";
  if (lacksHostKey(droplet, marks)) throw unknownHostKey(droplet, marks);
  const open2 = (hostKeys) => work.openHost({
    ...{ name, hostKeys },
    address: addressOf(droplet, "public"),
    identityFile: operatorKeyFile(work.spec.directory, work.spec.environment)
  });
  context.progress({ host: name, stage, state: "started", detail: "waiting for SSH" });
  await using(open2(acceptedHostKeys(droplet, marks)), async (host) => {
    await host.reach();
    context.progress({ host: name, stage, state: "running", detail: "waiting for cloud-init" });
    await host.settle();
    if (!isFresh(droplet, marks)) return;
    context.progress({ host: name, stage, state: "running", detail: "exchanging the host key" });
    const key = await host.offerHostKey();
    const tag = hostKeyTag(marks, "host", key);
    if (!hasTag(droplet.tags, tag)) {
      await api.createTag(tag);
      await api.tagDroplets(tag, [droplet.id]);
    }
    await host.adoptHostKey();
    await using(open2([key]), (again) => again.reach());
    const outdated = droplet.tags.filter(
      (other) => hostKeysOf(marks, "host", [other]).length > 0 && !hasTag([tag], other)
    );
    await together(outdated.map((other) => api.deleteTag(other)));
  });
  context.progress({ host: name, stage, state: "done", detail: addressOf(droplet, "public") });
}
async function forgetNewKeys({ api, marks }, droplets2, finished) {
  const newTags = new Set(
    finished.flatMap(({ tags: tags2 }) => tags2.filter((tag) => hostKeysOf(marks, "new", [tag]).length > 0))
  );
  await together(
    [...newTags].map((tag) => {
      const carriers = droplets2.filter(({ tags: tags2 }) => hasTag(tags2, tag));
      const done = carriers.filter((droplet) => finished.includes(droplet));
      return done.length === carriers.length ? api.deleteTag(tag) : api.untagDroplets(
        tag,
        done.map(({ id }) => id)
      );
    })
  );
}
async function using(host, work) {
  try {
    await work(host);
  } finally {
    await host.close();
  }
}

// src/cloud/digitalocean/hidden.ts
var LISTED_MS = 6e4;
async function hasHiddenDroplets(api, networks) {
  const members2 = await together([...networks].map((id) => api.vpcMembers(id)));
  const ids = members2.flat().flatMap((member) => dropletOf(member) ?? []);
  if (ids.length === 0) return false;
  const listed = new Set((await api.droplets()).map(({ id }) => id));
  return ids.some((id) => !listed.has(id));
}
function dropletOf({ urn }) {
  const id = /^do:droplet:(\d+)$/.exec(urn)?.[1];
  return id === void 0 ? void 0 : Number(id);
}

// src/cloud/digitalocean/survey.ts
function isOurs(droplet, marks) {
  return hasTag(droplet.tags, marks.environment) && hasTag(droplet.tags, marks.owner);
}
async function survey(api, spec2) {
  const operatorKey2 = await knownKey(spec2);
  const [droplets2, firewalls, vpcs, tags2, accountKey] = await together([
    api.droplets(),
    api.firewalls(),
    api.vpcs(),
    api.tags(),
    operatorKey2 === void 0 ? void 0 : api.key(operatorKey2.fingerprint)
  ]);
  const found = {
    ...{ droplets: droplets2, firewalls, vpcs, operatorKey: operatorKey2, accountKey },
    tags: tags2.map(({ name }) => name)
  };
  return { ...found, catalogue: needsCatalogue(found, spec2) ? await readCatalogue(api, spec2) : void 0 };
}
async function knownKey(spec2) {
  const key = await findOperatorKey(spec2.directory, spec2.environment);
  return key === void 0 ? void 0 : { ...key, fingerprint: md5Fingerprint(key.publicKey) };
}
function needsCatalogue(found, spec2) {
  const ours = found.droplets.filter((droplet) => isOurs(droplet, marksOf(spec2)));
  return spec2.machines.some((machine) => {
    const droplet = ours.find(({ name }) => name === machine.name);
    return droplet === void 0 || droplet.size_slug !== machine.size || droplet.region.slug !== machine.region;
  });
}
async function readCatalogue(api, spec2) {
  const own = spec2.machines.some(({ image }) => /^\d+$/.test(image));
  const [account2, regions, sizes, images, ownImages] = await together([
    api.account(),
    api.regions(),
    api.sizes(),
    api.images("distribution"),
    own ? api.images("private") : []
  ]);
  return { account: account2, regions, sizes, images: [...images, ...ownImages] };
}

// src/cloud/digitalocean/user-data.ts
function userData(privateKey, publicKey) {
  return [
    "#cloud-config",
    "ssh_deletekeys: true",
    "ssh_pwauth: false",
    "disable_root: false",
    "ssh_keys:",
    "  ed25519_private: |",
    ...privateKey.trimEnd().split("\n").map((line) => `    ${line}`),
    `  ed25519_public: ${publicKey}`,
    ""
  ].join("\n");
}

// src/cloud/digitalocean/make-droplets.ts
async function makeDroplets(work, batches, made) {
  if (batches.length === 0) return;
  const { publicKey } = await operatorKey(work.spec.directory, work.spec.environment);
  const fingerprint = md5Fingerprint(publicKey);
  const networks = new Set(batches.flatMap(({ network: id }) => id ?? []));
  await until(
    { clock: work.clock, signal: work.context.signal, everyMs: 2e3, withinMs: LISTED_MS },
    async () => await hasHiddenDroplets(work.api, networks) ? void 0 : true
  );
  const present = await presentNames(work);
  for (const { machines: machines2 } of batches) {
    for (const { name, size, region } of machines2) {
      work.context.progress({
        host: name,
        stage: "droplet",
        state: "started",
        detail: `${size} in ${region}`
      });
    }
  }
  await together(batches.map((batch) => makeBatch(work, batch, { networks: made, fingerprint, present })));
}
async function makeBatch(work, batch, shared) {
  const { api, marks, clock: clock2, context } = work;
  const [first] = batch.machines;
  let remaining = batch.machines.filter(({ name }) => !shared.present.has(name));
  if (first === void 0 || remaining.length === 0) return;
  const { region, size, image, group } = first;
  const network3 = batch.network ?? shared.networks.get(region);
  if (network3 === void 0) throw new Error(`no network in ${region} was planned`);
  const hostKey = generateEd25519();
  const common = {
    ...{ region, size, image: /^\d+$/.test(image) ? Number(image) : image },
    ssh_keys: [shared.fingerprint],
    tags: [
      ...[marks.environment, marks.owner, groupTag(marks, group), keyTag(marks, shared.fingerprint)],
      hostKeyTag(marks, "new", hostKey.publicKey)
    ],
    user_data: userData(hostKey.privateKey, hostKey.publicKey),
    vpc_uuid: network3,
    monitoring: true,
    with_droplet_agent: true
  };
  await createOnce({
    ...{ clock: clock2, signal: context.signal },
    // Two droplets may have one name: a refusal means something else.
    existsStatus: [],
    create: async () => {
      await api.createDroplets({ ...common, names: remaining.map(({ name }) => name) });
      return true;
    },
    look: async () => {
      const present = await presentNames(work);
      remaining = remaining.filter(({ name }) => !present.has(name));
      return remaining.length === 0 ? true : void 0;
    }
  });
}
async function presentNames({ api, marks }) {
  const droplets2 = await api.droplets(marks.environment);
  return new Set(droplets2.filter((droplet) => isOurs(droplet, marks)).map(({ name }) => name));
}

// src/cloud/digitalocean/make-shared.ts
var VISIBLE_MS = 2 * 6e4;
async function registerKey({ api, spec: spec2, marks, clock: clock2, context: { signal } }) {
  const { publicKey } = await operatorKey(spec2.directory, spec2.environment);
  const fingerprint = md5Fingerprint(publicKey);
  await api.createTag(keyTag(marks, fingerprint));
  const look = () => api.key(fingerprint);
  if (await look() !== void 0) return;
  await createOnce({ create: () => api.createKey(marks.name, publicKey), look, clock: clock2, signal });
  if (await until({ clock: clock2, signal, everyMs: 500, withinMs: VISIBLE_MS }, look) !== void 0) return;
  throw new Failure("cloud", `DigitalOcean took the key ${fingerprint} and does not show it`, {
    next: "Run the command again: it goes on from what exists."
  });
}
async function makeNetwork({ api, marks, clock: clock2, context: { signal } }, { name, region }) {
  const body = { name, region, description: marks.description };
  const network3 = await createOnce({
    ...{ clock: clock2, signal },
    create: () => api.createVpc(body),
    look: async () => (await api.vpcs()).find((vpc) => vpc.name === name && vpc.description === marks.description)
  });
  return network3.id;
}
async function makeFirewall({ api, clock: clock2, context: { signal } }, { id, body }) {
  if (id !== null) {
    await api.replaceFirewall(id, body);
    return;
  }
  const [tag = ""] = body.tags;
  await createOnce({
    ...{ clock: clock2, signal },
    create: () => api.createFirewall(body),
    look: async () => (await api.firewalls()).find((one) => one.name === body.name && hasTag(one.tags, tag))
  });
}

// src/cloud/digitalocean/remove-droplets.ts
var EVERY_MS2 = 2e3;
var WITHIN_MS2 = 10 * 6e4;
async function removeDroplets(work, doomed) {
  if (doomed.length === 0) return [];
  const { api, marks, clock: clock2, context } = work;
  const { signal } = context;
  const listed = async () => (await api.droplets(marks.environment)).filter((one) => doomed.some(({ id }) => id === one.id));
  const droplets2 = (await listed()).filter(
    (droplet) => isOurs(droplet, marks) && (isFresh(droplet, marks) || !doomed.some(({ id, fresh }) => id === droplet.id && fresh))
  );
  await together(
    droplets2.map(async ({ id, name }) => {
      context.progress({ host: name, stage: "droplet", state: "running", detail: "removing" });
      await whenIdle(clock2, signal, () => api.deleteDroplet(id));
    })
  );
  const ids = new Set(droplets2.map(({ id }) => id));
  const gone = await until(
    { clock: clock2, signal, everyMs: EVERY_MS2, withinMs: WITHIN_MS2 },
    async () => ids.size === 0 || !(await listed()).some(({ id }) => ids.has(id)) ? true : void 0
  );
  if (gone === void 0) {
    throw new Failure(
      "cloud",
      `DigitalOcean still lists droplets ${WITHIN_MS2 / 6e4} minutes after it took their removal`,
      {
        output: droplets2.map(({ id, name }) => `${name} (${id})`),
        next: "Run the command again; where they stay, see https://status.digitalocean.com."
      }
    );
  }
  return droplets2.map((droplet) => {
    context.progress({ host: droplet.name, stage: "droplet", state: "done", detail: "removed" });
    const address = addressOf(droplet, "public");
    return `droplet ${droplet.name} (${address === "" ? droplet.id : address})`;
  });
}

// src/cloud/digitalocean/operations.ts
function change(host, step, action, detail) {
  return { host, step, action, detail };
}

// src/cloud/digitalocean/plan-fleet.ts
function matchDroplets(droplets2, spec2, marks) {
  const steps = [];
  const warnings = [];
  const ours = droplets2.filter(({ tags: tags2 }) => hasTag(tags2, marks.owner)).sort((a, b) => a.id - b.id);
  const byName = /* @__PURE__ */ new Map();
  for (const [name, [best, ...others]] of sameName(ours, marks)) {
    if (best !== void 0) byName.set(name, best);
    for (const other of others) {
      if (isFresh(other, marks)) steps.push(removal(other, true, "a second one of this name, never used"));
      else
        warnings.push(
          `There are two droplets ${name} of this environment, both in use: remove one of ${best?.id} and ${other.id} at https://cloud.digitalocean.com/droplets.`
        );
    }
  }
  const wanted = new Map(spec2.machines.map((machine) => [machine.name, machine]));
  const kept = new Map([...byName].filter(([name]) => wanted.has(name)));
  const missing = spec2.machines.filter(({ name }) => !kept.has(name));
  const extra = [...byName.values()].filter(({ name }) => !wanted.has(name));
  const stillMissing = [];
  for (const machine of missing) {
    const index = extra.findIndex((droplet2) => groupOf(marks, droplet2.tags) === machine.group);
    const [droplet] = index < 0 ? [] : extra.splice(index, 1);
    if (droplet === void 0) {
      stillMissing.push(machine);
      continue;
    }
    kept.set(machine.name, { ...droplet, name: machine.name });
    steps.push({
      operation: { kind: "rename", id: droplet.id, from: droplet.name, to: machine.name },
      changes: [change(machine.name, "droplet", "change", [`rename ${droplet.name} to ${machine.name}`])]
    });
  }
  for (const droplet of extra) {
    if (isMember(droplet, marks)) steps.push(removal(droplet, false, "no longer in pipeline.yml"));
    else
      warnings.push(
        `The droplet ${droplet.name} (${droplet.id}) of this environment has a name that nobody gave it here: it is left alone until pipeline ${spec2.environment} destroy.`
      );
  }
  const order = new Map(spec2.machines.map(({ name }, index) => [name, index]));
  const sorted = [...kept].sort(([a], [b]) => (order.get(a) ?? 0) - (order.get(b) ?? 0));
  return { kept: new Map(sorted), missing: stillMissing, steps, warnings };
}
function sameName(ours, marks) {
  const groups = /* @__PURE__ */ new Map();
  for (const droplet of ours) groups.set(droplet.name, [...groups.get(droplet.name) ?? [], droplet]);
  for (const group of groups.values()) {
    group.sort((a, b) => Number(isFresh(a, marks)) - Number(isFresh(b, marks)) || a.id - b.id);
  }
  return groups;
}
function isMember(droplet, marks) {
  const group = groupOf(marks, droplet.tags);
  if (group === void 0) return false;
  return droplet.name === group || /^-\d+$/.test(droplet.name.startsWith(group) ? droplet.name.slice(group.length) : "");
}
function removal(droplet, fresh, why) {
  return {
    operation: { kind: "remove droplet", id: droplet.id, name: droplet.name, fresh },
    changes: [change(droplet.name, "droplet", "remove", [`${why} (${droplet.id})`])]
  };
}

// src/cloud/digitalocean/wait-for-droplets.ts
var EVERY_MS3 = 1500;
var WITHIN_MS3 = 10 * 6e4;
async function waitForDroplets(work, names) {
  if (names.size === 0) return [];
  const { api, spec: spec2, marks, clock: clock2, context } = work;
  const shown = /* @__PURE__ */ new Map();
  let waiting = [...names];
  let networks;
  let readyAt = clock2.now();
  async function look() {
    const complete = networks !== void 0 && (clock2.now() - readyAt > LISTED_MS || !await hasHiddenDroplets(api, networks));
    const { kept, steps } = matchDroplets(await api.droplets(marks.environment), spec2, marks);
    await removeDroplets(work, neverUsed(steps, names));
    for (const name of names) show(name, kept.get(name));
    waiting = [...names].filter((name) => !isReady(kept.get(name)));
    if (waiting.length > 0) return void 0;
    const ready = [...names].flatMap((name) => kept.get(name) ?? []);
    if (complete) return ready;
    if (networks !== void 0) return void 0;
    networks = new Set(ready.flatMap(({ vpc_uuid }) => vpc_uuid ?? []));
    readyAt = clock2.now();
    return look();
  }
  function show(name, droplet) {
    const detail = stateOf2(droplet);
    if (shown.get(name) === detail) return;
    shown.set(name, detail);
    context.progress({ host: name, stage: "droplet", state: isReady(droplet) ? "done" : "running", detail });
  }
  const droplets2 = await until(
    { clock: clock2, signal: context.signal, everyMs: EVERY_MS3, withinMs: WITHIN_MS3 },
    look
  );
  if (droplets2 !== void 0) return droplets2;
  const states = waiting.map((name) => `${name}: ${shown.get(name)}`);
  throw new Failure("cloud", `Not every droplet runs after ${WITHIN_MS3 / 6e4} minutes`, {
    host: waiting[0],
    output: states,
    next: "Run the command again to wait longer. A droplet that stays like that: delete it at https://cloud.digitalocean.com/droplets and run pipeline prod up, which makes a new one."
  });
}
function neverUsed(steps, names) {
  return steps.flatMap(
    ({ operation }) => operation.kind === "remove droplet" && operation.fresh && names.has(operation.name) ? [operation] : []
  );
}
function isReady(droplet) {
  if (droplet === void 0 || droplet.locked || droplet.status !== "active") return false;
  return addressOf(droplet, "public") !== "" && (!droplet.vpc_uuid || addressOf(droplet, "private") !== "");
}
function stateOf2(droplet) {
  if (droplet === void 0) return "not listed yet";
  if (droplet.status !== "active") return droplet.status;
  if (droplet.locked) return "locked";
  return isReady(droplet) ? addressOf(droplet, "public") : "active, no address yet";
}

// src/cloud/digitalocean/apply.ts
async function applyPlan(work, plan) {
  const { api } = work;
  const of = (kind) => plan.operations.filter((one) => one.kind === kind);
  const all = (items, act3) => together(items.map(act3));
  const stage = async (name, todo, act3) => {
    if (todo.length === 0) return;
    work.context.progress({ stage: name, state: "started" });
    await act3();
    work.context.progress({ stage: name, state: "done" });
  };
  const tags2 = of("tags").flatMap(({ names }) => names);
  await stage("tags", tags2, () => all(tags2, api.createTag));
  const networks = /* @__PURE__ */ new Map();
  await together([
    stage("key", of("key"), () => registerKey(work)),
    stage(
      "network",
      of("network"),
      () => all(of("network"), async (one) => networks.set(one.region, await makeNetwork(work, one)))
    ),
    stage("firewalls", of("firewall"), () => all(of("firewall"), (one) => makeFirewall(work, one)))
  ]);
  await together([
    makeDroplets(work, of("droplets"), networks),
    all(of("tag"), ({ tag, id }) => api.tagDroplets(tag, [id])),
    all(of("rename"), ({ id, to }) => act(work, id, { type: "rename", name: to }, ({ name }) => name === to)),
    all(of("power on"), ({ id }) => act(work, id, { type: "power_on" }, ({ status }) => status === "active"))
  ]);
  const started = [
    ...of("droplets").flatMap(({ machines: machines2 }) => machines2),
    ...of("first contact"),
    ...of("power on")
  ].map(({ name }) => name);
  const droplets2 = await waitForDroplets(work, new Set(started));
  await together([
    firewallsInForce(
      work,
      droplets2,
      of("firewall").map(({ body }) => body.name)
    ),
    firstContacts(work, droplets2)
  ]);
  await removeDroplets(work, of("remove droplet"));
  await all(of("remove firewall"), ({ id }) => api.deleteFirewall(id));
  await removeTags(
    work,
    of("remove tags").flatMap(({ names }) => names)
  );
  const [lost] = of("host key");
  if (lost !== void 0) throw unknownHostKey(lost, work.marks);
}
async function removeTags({ api, marks }, names) {
  if (names.length === 0) return;
  const carried = (await api.droplets(marks.environment)).flatMap(({ tags: tags2 }) => tags2);
  await together(names.filter((name) => !hasTag(carried, name)).map(api.deleteTag));
}
async function act({ api, marks, clock: clock2, context }, id, action, isDone) {
  const { signal } = context;
  await whenIdle(clock2, signal, async () => {
    await createOnce({
      ...{ clock: clock2, signal },
      create: async () => {
        await api.actOnDroplet(id, action);
        return true;
      },
      look: async () => {
        const droplet = (await api.droplets(marks.owner)).find((one) => one.id === id);
        return droplet !== void 0 && isDone(droplet) ? true : void 0;
      }
    });
  });
}

// src/cloud/digitalocean/firewall-rules.ts
var ANYONE = ["0.0.0.0/0", "::/0"];
var ALL_PORTS = "0";
function firewallOf(wish) {
  const ssh = { port: 22, protocol: "tcp", from: "operators" };
  const ports = /* @__PURE__ */ new Map();
  for (const { port, protocol, from } of [ssh, ...wish.exposures]) {
    const key = `${protocol} ${port}`;
    ports.set(key, (ports.get(key) ?? /* @__PURE__ */ new Set()).add(from));
  }
  const inbound = [...ports].map(([key, audiences]) => {
    const [protocol = "", port = ""] = key.split(" ");
    return { protocol, ports: port, sources: sourcesOf(audiences, wish) };
  });
  const outbound = ["tcp", "udp", "icmp"].map((protocol) => ({
    protocol,
    ports: ALL_PORTS,
    destinations: { addresses: ANYONE }
  }));
  inbound.sort((a, b) => Number(a.ports) - Number(b.ports) || a.protocol.localeCompare(b.protocol));
  return { name: wish.name, inbound_rules: inbound, outbound_rules: outbound, tags: [wish.tag] };
}
function sourcesOf(audiences, wish) {
  if (audiences.has("anyone")) return { addresses: ANYONE };
  return {
    ...audiences.has("operators") ? { addresses: wish.operators } : {},
    ...audiences.has("fleet") ? { tags: [wish.fleet] } : {}
  };
}
function firewallDrift(found, wanted) {
  const is = /* @__PURE__ */ new Set([...lines(found), ...found.droplet_ids.map((id) => `guards droplet ${id}`)]);
  const should = new Set(lines(wanted));
  return [
    ...[...should].filter((line) => !is.has(line)).map((line) => `+ ${line}`),
    ...[...is].filter((line) => !should.has(line)).map((line) => `- ${line}`)
  ];
}
function lines(firewall) {
  return [
    ...firewall.inbound_rules.flatMap(
      (rule2) => peers(rule2.sources).map((peer) => `${portsOf(rule2)} from ${peer}`)
    ),
    ...firewall.outbound_rules.flatMap(
      (rule2) => peers(rule2.destinations).map((peer) => `${portsOf(rule2)} to ${peer}`)
    ),
    ...firewall.tags.map((tag) => `guards tag ${tag.toLowerCase()}`)
  ];
}
function portsOf(rule2) {
  const ports = String(rule2.ports ?? ALL_PORTS);
  const all = ["", ALL_PORTS, "all", "1-65535", "0-65535"].includes(ports);
  return rule2.protocol === "icmp" ? "icmp" : `${rule2.protocol} ${all ? "all ports" : ports}`;
}
function peers(target3) {
  if (target3 === null || target3 === void 0) return ["nobody"];
  return [
    ...(target3.addresses ?? []).map(network2),
    ...(target3.tags ?? []).map((tag) => `tag ${tag.toLowerCase()}`),
    ...(target3.droplet_ids ?? []).map((id) => `droplet ${id}`),
    ...(target3.load_balancer_uids ?? []).map((id) => `load balancer ${id}`),
    ...(target3.kubernetes_ids ?? []).map((id) => `cluster ${id}`)
  ];
}
function network2(address) {
  return address.toLowerCase().replace(/^(\d+\.\d+\.\d+\.\d+)\/32$/, "$1").replace(/^(.*:.*)\/128$/, "$1");
}

// src/cloud/digitalocean/plan-firewalls.ts
function planFirewalls(found, spec2, marks) {
  const groups = [...new Set(spec2.machines.map(({ group }) => group))];
  const taken = found.firewalls.map(({ name }) => name);
  const steps = groups.flatMap((group) => {
    const [existing, ...doubles] = ownFirewalls(found.firewalls, marks, group);
    const body = firewallOf({
      name: existing?.name ?? freeName(firewallName(marks, group), taken),
      tag: groupTag(marks, group),
      exposures: spec2.machines.filter((machine) => machine.group === group).flatMap(({ exposures }) => exposures),
      operators: spec2.operators,
      fleet: marks.owner
    });
    taken.push(body.name);
    const drift = existing === void 0 ? [] : firewallDrift(existing, body);
    const action = existing === void 0 ? "create" : "change";
    const detail = existing === void 0 ? lines(body).filter((line) => / from /.test(line)) : drift;
    const own = existing !== void 0 && drift.length === 0 ? [] : [
      {
        operation: { kind: "firewall", id: existing?.id ?? null, group, body },
        changes: [change(null, `firewall ${group}`, action, detail)]
      }
    ];
    return [...own, ...doubles.map((double) => removal2(double, `a second one for ${group}`))];
  });
  const leftOver = ownFirewallsOfAll(found.firewalls, marks).filter(
    (firewall) => !groups.some((group) => ownFirewalls([firewall], marks, group).length > 0)
  );
  return [...steps, ...leftOver.map((firewall) => removal2(firewall, "no longer in pipeline.yml"))];
}
function ownFirewalls(firewalls, marks, group) {
  const tag = groupTag(marks, group);
  return firewalls.filter(
    ({ name, tags: tags2 }) => isNameOf(firewallName(marks, group), name) && hasTag(tags2, tag)
  );
}
function ownFirewallsOfAll(firewalls, marks) {
  const start = `${marks.prefix}group:`;
  return firewalls.filter(
    ({ name, tags: tags2 }) => tags2.some((tag) => {
      const lower = tag.toLowerCase();
      return lower.startsWith(start) && isNameOf(firewallName(marks, lower.slice(start.length)), name);
    })
  );
}
function removal2(firewall, why) {
  return {
    operation: { kind: "remove firewall", id: firewall.id, name: firewall.name },
    changes: [change(null, `firewall ${firewall.name}`, "remove", [why])]
  };
}

// src/cloud/digitalocean/plan-networks.ts
function planNetworks(found, spec2, marks) {
  const byRegion = /* @__PURE__ */ new Map();
  const steps = [];
  for (const region of new Set(spec2.machines.map((machine) => machine.region))) {
    const existing = ownNetworks(found, marks).find((vpc) => vpc.region === region);
    if (existing !== void 0) {
      byRegion.set(region, existing);
      continue;
    }
    const name = freeName(
      networkName(marks, region),
      found.vpcs.map((vpc) => vpc.name)
    );
    steps.push({
      operation: { kind: "network", name, region },
      changes: [change(null, `network ${region}`, "create", [name])]
    });
  }
  return { steps, byRegion };
}
function ownNetworks(found, marks) {
  return found.vpcs.filter(
    (vpc) => isNameOf(networkName(marks, vpc.region), vpc.name) && (vpc.description === marks.description || found.droplets.some((droplet) => droplet.vpc_uuid === vpc.id && isOurs(droplet, marks)))
  );
}

// src/cloud/digitalocean/plan-destroy.ts
function planDestroy(estate, spec2, marks) {
  const droplets2 = estate.droplets.filter((droplet) => isOurs(droplet, marks));
  const firewalls = ownFirewallsOfAll(estate.firewalls, marks);
  const networks = ownNetworks(estate, marks);
  const kept = networks.flatMap((vpc) => {
    const why = whyKept(vpc, estate, marks);
    return why === void 0 ? [] : [{ vpc, why }];
  });
  const fingerprints = /* @__PURE__ */ new Set([
    ...estate.tags.flatMap(({ name }) => fingerprintOfTag(marks, name) ?? []),
    ...estate.fingerprint === void 0 ? [] : [estate.fingerprint]
  ]);
  const keys = estate.keys.filter(
    ({ name, fingerprint }) => name === marks.name && fingerprints.has(fingerprint)
  );
  const staying = estate.droplets.filter((droplet) => !droplets2.includes(droplet));
  const own = estate.tags.filter(({ name }) => isOwnTag(name, marks));
  const tagsLeft = own.filter(
    ({ name, resources }) => resources > 0 || staying.some(({ tags: tags2 }) => hasTag(tags2, name))
  );
  const members2 = networks.flatMap(({ id }) => estate.members.get(id) ?? []).flatMap((member) => dropletOf(member) ?? []);
  return {
    ...{ droplets: droplets2, firewalls, keys },
    hidden: members2.some((member) => !estate.droplets.some(({ id }) => id === member)),
    vpcs: networks.filter((vpc) => !kept.some((other) => other.vpc === vpc)),
    tags: own.filter((tag) => !tagsLeft.includes(tag)).map(({ name }) => name),
    left: [
      ...staying.flatMap((droplet) => leftDroplet(droplet, spec2, marks)),
      ...estate.firewalls.filter(
        (firewall) => !firewalls.includes(firewall) && groupsOf(spec2).some((group) => isNameOf(firewallName(marks, group), firewall.name))
      ).map(
        ({ name, id }) => `firewall ${name} (${id}): has our name, but does not guard our droplets' tag`
      ),
      ...kept.map(({ vpc, why }) => `network ${vpc.name}: ${why}`),
      ...estate.vpcs.filter((vpc) => !networks.includes(vpc) && isNameOf(networkName(marks, vpc.region), vpc.name)).map(({ name, id }) => `network ${name} (${id}): has our name, but is not described as ours`),
      ...estate.keys.filter((key) => !keys.includes(key)).flatMap((key) => leftKey(key, marks, fingerprints)),
      ...tagsLeft.map(({ name }) => `tag ${name}: other things of the account carry it too`)
    ]
  };
}
function describeDroplet(droplet) {
  const address = addressOf(droplet, "public");
  return `droplet ${droplet.name} (${address === "" ? droplet.id : address})`;
}
function isOwnTag(name, marks) {
  const lower = name.toLowerCase();
  return lower.startsWith(marks.prefix) || lower === marks.owner || lower === marks.environment;
}
function groupsOf(spec2) {
  return [...new Set(spec2.machines.map(({ group }) => group))];
}
function whyKept(vpc, { members: members2, droplets: droplets2 }, marks) {
  if (vpc.default)
    return `it is the default network of ${vpc.region} now, which DigitalOcean lets nobody remove (it costs nothing)`;
  const foreign = (members2.get(vpc.id) ?? []).filter((member) => {
    const droplet = droplets2.find(({ id }) => id === dropletOf(member));
    return dropletOf(member) === void 0 || droplet !== void 0 && !isOurs(droplet, marks);
  });
  if (foreign.length === 0) return void 0;
  return `not ours and in it: ${foreign.map(({ name, urn }) => name ?? urn).join(", ")}`;
}
function leftDroplet({ id, name, tags: tags2 }, spec2, marks) {
  const what = `droplet ${name} (${id})`;
  if (hasTag(tags2, marks.owner))
    return [`${what}: carries our owner mark, but not the tag ${marks.environment}`];
  if (hasTag(tags2, marks.environment))
    return [`${what}: carries the tag ${marks.environment}, but not our owner mark`];
  const sameName2 = spec2.machines.some((machine) => machine.name.toLowerCase() === name.toLowerCase());
  return sameName2 ? [`${what}: has the name of one of our hosts, but not our tags`] : [];
}
function leftKey({ id, name, fingerprint }, marks, fingerprints) {
  if (name === marks.name) return [`key ${name} (${id}): has our name, but is another key`];
  return fingerprints.has(fingerprint) ? [`key ${name} (${id}): our key, but registered by somebody else`] : [];
}

// src/cloud/digitalocean/destroy.ts
var ROUNDS = 40;
var PAUSE_MS = 3e3;
async function destroyable(work) {
  const plan = planDestroy(await readEstate(work), work.spec, work.marks);
  return { removed: describe(plan, work), left: plan.left };
}
async function destroy(work) {
  const { spec: spec2, marks, clock: clock2, context } = work;
  const removed = /* @__PURE__ */ new Set();
  for (let round = 1; ; round++) {
    const plan = planDestroy(await readEstate(work), spec2, marks);
    const todo = [
      ...describe(plan, work),
      ...plan.hidden ? ["a droplet that DigitalOcean does not list yet"] : []
    ];
    if (todo.length === 0) return { removed: [...removed], left: plan.left };
    if (round > ROUNDS) {
      throw new Failure("cloud", "DigitalOcean does not let go of everything", {
        output: todo,
        next: "Run the command again in some minutes: it goes on from what is left."
      });
    }
    if (round > 2) await clock2.sleep(PAUSE_MS, context.signal);
    for (const thing of await removeAll(work, plan)) removed.add(thing);
  }
}
async function removeAll(work, plan) {
  const { api } = work;
  const removed = [];
  const each = async (stage, items, name, remove3) => {
    if (items.length === 0) return true;
    work.context.progress({ stage, state: "started" });
    const results = await together(items.map(remove3));
    removed.push(...items.filter((_, index) => results[index] !== false).map(name));
    const all = results.every((result) => result !== false);
    work.context.progress({
      stage,
      state: all ? "done" : "running",
      detail: all ? "removed" : "still in use"
    });
    return all;
  };
  const doomed = plan.droplets.map(({ id, name }) => ({ id, name, fresh: false }));
  removed.push(...await removeDroplets(work, doomed));
  const free = await each("network", plan.vpcs, describeNetwork, ({ id }) => removeNetwork(api, id));
  if (!free || plan.hidden) return removed;
  await each("firewalls", plan.firewalls, describeFirewall, ({ id }) => api.deleteFirewall(id));
  await each("key", plan.keys, describeKey, ({ id }) => api.deleteKey(id));
  await together(plan.tags.map(api.deleteTag));
  return [...removed, ...describeTags(plan, work)];
}
async function removeNetwork(api, id) {
  try {
    await api.deleteVpc(id);
    return true;
  } catch (error) {
    if (isStatus(error, 409) || isStatus(error, 403) && !/authori|permi|scope/i.test(error.said))
      return false;
    throw error;
  }
}
var describeFirewall = ({ name }) => `firewall ${name}`;
var describeNetwork = ({ name }) => `network ${name}`;
var describeKey = ({ name }) => `key ${name}`;
function describeTags({ tags: tags2 }, { marks }) {
  if (tags2.length === 0) return [];
  return [`${tags2.length} ${tags2.length === 1 ? "tag" : "tags"} of ${marks.environment}`];
}
function describe(plan, work) {
  return [
    ...plan.droplets.map(describeDroplet),
    ...plan.firewalls.map(describeFirewall),
    ...plan.vpcs.map(describeNetwork),
    ...plan.keys.map(describeKey),
    ...describeTags(plan, work)
  ];
}
async function readEstate({ api, spec: spec2, marks }) {
  const key = await knownKey(spec2);
  const [droplets2, firewalls, vpcs, keys, tags2] = await together([
    api.droplets(),
    api.firewalls(),
    api.vpcs(),
    api.keys(),
    api.tags()
  ]);
  const members2 = await together(
    ownNetworks({ vpcs, droplets: droplets2 }, marks).map(async ({ id }) => [id, await api.vpcMembers(id)])
  );
  return { droplets: droplets2, firewalls, vpcs, keys, tags: tags2, members: new Map(members2), fingerprint: key?.fingerprint };
}

// src/cloud/digitalocean/host.ts
import { rm as rm4 } from "node:fs/promises";

// src/ssh/known-hosts.ts
function knownHostName(address, port) {
  return port === 22 ? address : `[${address}]:${port}`;
}
function formatKnownHosts(hosts) {
  const lines2 = /* @__PURE__ */ new Set();
  for (const { address, port, keys } of hosts) {
    if (!/^[A-Za-z0-9._:%-]+$/.test(address))
      throw new RangeError(`not a host address: ${JSON.stringify(address)}`);
    for (const key of keys) {
      const match = /^([a-z0-9@.-]+) ([A-Za-z0-9+/]+={0,2})(?: [^\n]*)?$/.exec(key.trim());
      if (match === null) throw new RangeError(`not a public key: ${JSON.stringify(key.slice(0, 80))}`);
      lines2.add(`${knownHostName(address.toLowerCase(), port)} ${match[1]} ${match[2]}`);
    }
  }
  return [...lines2].sort().map((line) => `${line}
`).join("");
}
function writeKnownHosts(path, hosts) {
  return writeFileAtomic(path, formatKnownHosts(hosts), 384);
}

// src/ssh/quote.ts
var PLAIN = /^[A-Za-z0-9_@%+:,./-]+$/;
function quote(word) {
  if (word.includes("\0")) throw new RangeError("a shell word cannot hold a NUL byte");
  return PLAIN.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
function command(argv) {
  return argv.map(quote).join(" ");
}

// src/ssh/failures.ts
var ConnectionFailure = class extends Failure {
  reason;
  constructor(reason, message, details) {
    super(reason === "client" ? "usage" : "host", message, details);
    this.reason = reason;
  }
};
var where = (target3) => `${target3.address} port ${target3.port}`;
var shell = (target3) => command(["ssh", "-v", "-p", String(target3.port), `${target3.user}@${target3.address}`]);
var RULES = [
  {
    pattern: /REMOTE HOST IDENTIFICATION HAS CHANGED|host key for \S+ has changed and you have requested strict/i,
    reason: "host-key-changed",
    explain: (target3) => ({
      message: `the host at ${where(target3)} shows another host key than the known one: it was reinstalled, or somebody sits in between`,
      next: `If it was reinstalled, remove the old key with ${removeKey(target3)} and add the new one, read on the host itself from /etc/ssh/ssh_host_ed25519_key.pub. Nothing was sent to it.`
    })
  },
  {
    pattern: /No \S+ host key is known for|Host key verification failed/i,
    reason: "host-key-unknown",
    explain: (target3) => ({
      message: `the host key of ${where(target3)} is not known, and no connection is made on trust`,
      next: `Add its line to ${target3.knownHostsFile ?? "~/.ssh/known_hosts"}: ${knownHostName(target3.address, target3.port)} and the key that the host itself has in /etc/ssh/ssh_host_ed25519_key.pub.`
    })
  },
  {
    pattern: /Please login as the user "([^"]+)"/,
    reason: "no-shell",
    explain: (target3, match) => ({
      message: `${target3.user} may not sign in at ${where(target3)}: the host asks for the user ${match[1]}`,
      next: `Set ansible_user=${match[1]} for it in the inventory.`
    })
  },
  {
    pattern: /^sudo: (?:a password is required|a terminal is required|no tty present|sorry, you must have a tty)|is not (?:in the sudoers file|allowed to (?:execute|run sudo))|may not run sudo/im,
    reason: "no-sudo",
    explain: (target3) => ({
      message: `${target3.user} may not become root through sudo without a password`,
      next: `On the host, as root: echo '${target3.user} ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/${target3.user.replaceAll(/[.~]/g, "_")}; or set ansible_user=root in the inventory.`
    })
  },
  {
    pattern: /sudo: (?:command )?not found|sudo: No such file/i,
    reason: "no-sudo",
    explain: (target3) => ({
      message: `${target3.user} cannot become root: sudo is not installed`,
      next: "On the host, as root: apt-get install sudo and let the user use it; or set ansible_user=root in the inventory."
    })
  },
  {
    pattern: /Could not resolve hostname [^\n]*|Name or service not known/i,
    reason: "unreachable",
    explain: (target3) => ({
      message: `the name ${target3.address} has no address`,
      next: "Correct ansible_host in the inventory, or the name service of this machine."
    })
  },
  {
    pattern: /No route to host|Network is unreachable|Host is down|Host is unreachable/i,
    reason: "unreachable",
    explain: (target3, match) => ({
      message: `${where(target3)} cannot be reached: ${match[0].toLowerCase()}`,
      next: "See whether the host runs and whether its address is right: pipeline prod status."
    })
  },
  {
    pattern: /Connection refused/i,
    reason: "refused",
    explain: (target3) => ({
      message: `nothing listens at ${where(target3)}: the connection was refused`,
      next: "The host is up but its SSH service is not, or it listens on another port: set ansible_port in the inventory, or start ssh.service on the host."
    })
  },
  {
    pattern: /Permission denied \(([^)]*)\)|Too many authentication failures/i,
    reason: "permission",
    explain: (target3) => ({
      message: `the host at ${where(target3)} does not take ${keyOf(target3)} for ${target3.user}`,
      next: `Add the public key to ~${target3.user}/.ssh/authorized_keys on the host, or name the right user and key in the inventory (ansible_user, ansible_ssh_private_key_file).`
    })
  },
  {
    pattern: /System is (?:booting up|going down)|Unprivileged users are not permitted to log in yet/i,
    reason: "closed",
    explain: (target3) => ({
      message: `${where(target3)} is still starting or about to stop`,
      next: "Wait a few seconds and run the command again."
    })
  },
  {
    pattern: /Bad configuration option|command-line line \d+|[Uu]nsupported option|no such option|unknown option/,
    reason: "client",
    explain: (target3) => ({
      message: `ssh does not understand its options for ${target3.name}`,
      next: "Correct ansible_ssh_common_args in the inventory, or ~/.ssh/config."
    })
  },
  {
    pattern: /Unable to negotiate with [^\n]*/i,
    reason: "closed",
    explain: (target3) => ({
      message: `this machine and ${where(target3)} have no key exchange, cipher or key type in common`,
      next: "Update OpenSSH on the older side."
    })
  },
  {
    pattern: /timed? ?out/i,
    reason: "timeout",
    explain: (target3) => ({
      message: `${where(target3)} does not answer`,
      next: "See whether the host runs (pipeline prod status) and whether a firewall drops SSH from this machine."
    })
  },
  {
    pattern: /kex_exchange_identification|Connection (?:closed|reset) by|ssh_dispatch_run_fatal|Connection to \S+ closed/i,
    reason: "closed",
    explain: (target3) => ({
      message: `${where(target3)} hung up before anybody signed in`,
      next: "Its SSH service is starting, stopping, or turns away too many connections: wait a few seconds and run the command again."
    })
  }
];
function connectionFailure(target3, client) {
  const output = lastLines(client.stderr);
  const details = { host: target3.name, step: client.step, output };
  for (const { pattern, reason, explain } of RULES) {
    if (client.connected && reason !== "no-sudo" && reason !== "no-shell") continue;
    const match = pattern.exec(client.stderr);
    if (match === null) continue;
    const { message, next } = explain(target3, match);
    return new ConnectionFailure(reason, message, { ...details, next });
  }
  if (!client.connected) {
    const reason = client.exitCode === null ? "timeout" : "closed";
    const message = client.exitCode === null ? "does not finish signing in" : `cannot be reached (ssh exit ${client.exitCode})`;
    return new ConnectionFailure(reason, `${where(target3)} ${message}`, {
      ...details,
      next: `See what ssh says: ${shell(target3)}`
    });
  }
  if (client.exitCode === 255) {
    return new ConnectionFailure("lost", "the connection was lost half-way", {
      ...details,
      next: "What had begun on the host may still be running there. Run the command again: it goes on from what is done."
    });
  }
  return new ConnectionFailure(
    "no-shell",
    `${target3.user} at ${where(target3)} did not run the command to its end (exit ${client.exitCode ?? "unknown"})`,
    {
      ...details,
      next: "Either the account has no ordinary shell or no bash, or the command was killed on the host (journalctl -k shows whether memory ran out)."
    }
  );
}
function keyOf(target3) {
  return target3.identityFile === void 0 ? "any key that ssh offers" : `the key ${target3.identityFile}`;
}
function removeKey(target3) {
  const file = target3.knownHostsFile === void 0 ? [] : ["-f", target3.knownHostsFile];
  return command(["ssh-keygen", ...file, "-R", knownHostName(target3.address, target3.port)]);
}
function lastLines(text2, count2 = 10) {
  return text2.split("\n").map((line) => line.trimEnd()).filter((line) => line !== "").slice(-count2);
}

// src/ssh/openssh.ts
import { randomBytes as randomBytes4 } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";

// src/ssh/arguments.ts
function fileValue(path) {
  return `"${path.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("%", "%%")}"`;
}
function sshArguments(target3, patience) {
  const options = [
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    "UpdateHostKeys=no",
    `ConnectTimeout=${patience.connectTimeoutSeconds}`,
    `ServerAliveInterval=${Math.max(1, Math.round(patience.silenceSeconds / 3))}`,
    "ServerAliveCountMax=3",
    // Failures are told apart by what ssh prints; a quieter level in the user's configuration would hide it.
    "LogLevel=INFO",
    "ForwardAgent=no",
    "ClearAllForwardings=yes",
    "PermitLocalCommand=no"
  ];
  if (target3.identityFile !== void 0) {
    options.push(`IdentityFile=${fileValue(target3.identityFile)}`, "IdentitiesOnly=yes");
  }
  if (target3.knownHostsFile !== void 0) {
    options.push(`UserKnownHostsFile=${fileValue(target3.knownHostsFile)}`, "GlobalKnownHostsFile=/dev/null");
  }
  return [
    ...options.flatMap((option) => ["-o", option]),
    ...(target3.options ?? []).flatMap((option) => ["-o", option]),
    "-p",
    String(target3.port),
    "-l",
    target3.user,
    // An address is never taken for an option.
    "--",
    target3.address
  ];
}

// src/ssh/master.ts
import { spawn as spawn2 } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  rmdirSync,
  rmSync
} from "node:fs";
import { rm as rm3 } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join as join2 } from "node:path";

// src/ssh/process.ts
import { spawn } from "node:child_process";
import { StringDecoder } from "node:string_decoder";
import { setTimeout as delay2 } from "node:timers/promises";
var KILL_AFTER_MS = 2e3;
async function runProcess(file, args, options) {
  const child = spawn(file, args, {
    env: { ...options.env },
    stdio: ["pipe", "pipe", "pipe"],
    detached: true
  });
  let failure;
  const fail = (error) => {
    failure ??= { error };
    onAbort();
  };
  const stdout = collect(child.stdout, options.onStdout, fail);
  const stderr = collect(child.stderr, options.onStderr, fail);
  const ended = new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  const onAbort = () => {
    child.once("exit", () => {
      child.stdout.destroy();
      child.stderr.destroy();
    });
    void terminate(child);
  };
  options.signal.addEventListener("abort", onAbort, { once: true });
  if (options.signal.aborted) onAbort();
  child.stdin.on("error", () => {
  });
  const fed = (options.input?.(child.stdin) ?? Promise.resolve()).then(
    () => child.stdin.end(),
    (error) => {
      if (error.code !== "EPIPE" && error.code !== "ERR_STREAM_PREMATURE_CLOSE") fail(error);
    }
  );
  try {
    const exitCode = await ended;
    child.stdin.destroy();
    await fed;
    if (failure !== void 0) throw failure.error;
    return { exitCode, stdout: stdout(), stderr: stderr() };
  } finally {
    options.signal.removeEventListener("abort", onAbort);
  }
}
async function terminate(child) {
  child.kill("SIGTERM");
  await delay2(KILL_AFTER_MS, void 0, { ref: false });
  if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
}
function collect(stream, onLine, fail) {
  const decoder = new StringDecoder("utf8");
  const parts = [];
  let rest = "";
  const take = (text2, isLast) => {
    parts.push(text2);
    if (onLine === void 0) return;
    const lines2 = (rest + text2).split("\n");
    rest = isLast && lines2.at(-1) !== "" ? "" : lines2.pop() ?? "";
    try {
      for (const line of lines2) onLine(line);
    } catch (error) {
      fail(error);
    }
  };
  stream.on("data", (chunk) => take(decoder.write(chunk), false));
  stream.on("end", () => take(decoder.end(), true));
  return () => parts.join("");
}

// src/ssh/master.ts
var Master = class {
  #options;
  /** The folder with the control socket, while a master stands or is being started. */
  #opening;
  constructor(options) {
    this.#options = options;
  }
  /**
   * Arguments for ssh that make it a client of the master, which stands then. Callers at the same time share one opening.
   * @throws ConnectionFailure; `signal.reason`
   */
  async client(signal) {
    const before = this.#opening;
    if (before !== void 0) {
      const folder = await untilAborted(before, signal);
      if (existsSync(socketIn(folder))) return clientArguments(folder);
      if (this.#opening === before) await this.close();
    }
    if (this.#opening === void 0) {
      const opening = this.#start();
      this.#opening = opening;
      opening.catch(() => {
        if (this.#opening === opening) this.#opening = void 0;
      });
    }
    return clientArguments(await untilAborted(this.#opening, signal));
  }
  /** Whether it stands and answers. */
  async answers() {
    const folder = await this.#opening?.catch(() => void 0);
    return folder !== void 0 && this.#ask(folder, "check");
  }
  /** Ends it. Safe to call twice; never throws. */
  async close() {
    const opening = this.#opening;
    this.#opening = void 0;
    const folder = await opening?.catch(() => void 0);
    if (folder === void 0) return;
    await this.#ask(folder, "exit");
    await rm3(folder, { recursive: true, force: true }).catch(() => void 0);
  }
  async #start() {
    const { target: target3, program, args, env, persistSeconds, limitMs } = this.#options;
    const folder = makeSocketFolder();
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), limitMs);
    const persist = ["-M", "-N", "-o", `ControlPersist=${persistSeconds}`, "-o", "RemoteCommand=none"];
    try {
      const signal = AbortSignal.any([this.#options.signal, limit.signal]);
      const all = [...persist, "-S", socketArgument(folder), ...args];
      const { exitCode, stderr } = await startMaster(program, all, folder, { env, signal });
      this.#options.signal.throwIfAborted();
      if (exitCode === 0) return folder;
      throw connectionFailure(target3, { stderr, exitCode, connected: false });
    } catch (error) {
      await rm3(folder, { recursive: true, force: true });
      throw error.code === "ENOENT" ? missingClient(program) : error;
    } finally {
      clearTimeout(timer);
    }
  }
  async #ask(folder, question) {
    if (!existsSync(socketIn(folder))) return false;
    const { target: target3, program, env } = this.#options;
    const args = ["-S", socketArgument(folder), "-O", question, "--", target3.address];
    return runProcess(program, args, { env, signal: AbortSignal.timeout(2e3) }).then(
      ({ exitCode }) => exitCode === 0,
      () => false
    );
  }
};
function clientArguments(folder) {
  return ["-S", socketArgument(folder), "-T", "-o", "ControlMaster=no", "-o", "RemoteCommand=none"];
}
function missingClient(program) {
  return new ConnectionFailure("client", `the program ${program} is not installed`, {
    next: "Install the OpenSSH client: apt-get install openssh-client."
  });
}
function untilAborted(promise, signal) {
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason);
    if (signal.aborted) leave();
    signal.addEventListener("abort", leave, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", leave));
  });
}
async function startMaster(program, args, folder, { env, signal }) {
  const path = join2(folder, "e");
  const file = openSync(path, "w+", 384);
  rmSync(path);
  try {
    const child = spawn2(program, args, { env, stdio: ["ignore", "ignore", file], detached: true });
    const kill = () => child.kill("SIGKILL");
    signal.addEventListener("abort", kill, { once: true });
    if (signal.aborted) kill();
    try {
      const exitCode = await new Promise((resolve, reject) => {
        child.once("error", reject);
        child.once("exit", resolve);
      });
      return { exitCode, stderr: readStart(file) };
    } finally {
      signal.removeEventListener("abort", kill);
    }
  } finally {
    closeSync(file);
  }
}
function readStart(file) {
  const buffer = Buffer.alloc(64 * 1024);
  return buffer.toString("utf8", 0, readSync(file, buffer, 0, buffer.length, 0));
}
var LONGEST_SOCKET = 104 - 1 - 17;
var PREFIX = "pipeline-ssh-";
function makeSocketFolder(base = tmpdir()) {
  const name = `${PREFIX}${process.pid}-`;
  const longest = socketIn(join2(base, `${name}XXXXXX`));
  const parent = Buffer.byteLength(longest) <= LONGEST_SOCKET ? base : "/tmp";
  removeEmptyFolders(parent);
  return mkdtempSync(join2(parent, name));
}
function socketIn(folder) {
  return join2(folder, "s");
}
function socketArgument(folder) {
  return socketIn(folder).replaceAll("%", "%%");
}
function removeEmptyFolders(parent) {
  for (const name of readdirSync(parent)) {
    const pid = name.startsWith(PREFIX) ? Number.parseInt(name.slice(PREFIX.length), 10) : Number.NaN;
    if (!Number.isInteger(pid) || isAlive(pid)) continue;
    try {
      rmdirSync(join2(parent, name));
    } catch {
    }
  }
}
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

// src/ssh/redact.ts
var HIDDEN = "***";
function redactor(secrets = []) {
  const words = /* @__PURE__ */ new Set();
  for (const secret of secrets) {
    if (secret !== "") words.add(secret);
    for (const line of secret.split(/\r?\n/)) if (line.trim().length >= 4) words.add(line.trim());
  }
  const ordered = [...words].sort((a, b) => b.length - a.length);
  return (text2) => ordered.reduce((shown, word) => shown.replaceAll(word, HIDDEN), text2);
}

// src/ssh/remote.ts
function endMark(token) {
  return new RegExp(`pipeline-end-${token}:(\\d+)\\r?$`);
}
var RUN = 's=$(cat); [[ $s == *"#$1" ]] || exit 1; (eval "$s") </dev/null; r=$?; printf "pipeline-end-%s:%d\\n" "$1" $r >&2; exit $r';
function asRoot(user, argv) {
  const line = ["env", "LC_ALL=C.UTF-8", "LANGUAGE=", ...argv];
  return command(user === "root" ? line : ["sudo", "-n", "-H", "--", ...line]);
}
function runCommand(user, token) {
  return asRoot(user, ["bash", "-c", RUN, "pipeline", token]);
}
function runInput(script, token) {
  return `${script}
#${token}`;
}
var STORE = `set -u
path=$2 size=$3 mode=$4
directory=$(dirname -- "$path")
mkdir -p -- "$directory" || exit 1
[ ! -e "$path" ] || [ -f "$path" ] || { echo "$path is not an ordinary file" >&2; exit 1; }
temporary=$(mktemp -- "$path.XXXXXX") || exit 1
trap 'rm -f -- "$temporary"' EXIT
if ! message=$(cat 2>&1 >"$temporary"); then
  case $message in
    *"No space left"*|*"quota exceeded"*) df -B1 --output=avail,size -- "$directory" | tail -n 1; exit 28 ;;
  esac
  printf '%s\\n' "$message" >&2
  exit 1
fi
got=$(stat -c %s -- "$temporary")
[ "$got" = "$size" ] || { echo "$got of $size bytes arrived" >&2; exit 1; }
chmod -- "$mode" "$temporary" && sync -- "$temporary" && mv -fT -- "$temporary" "$path" && sync -- "$directory"`;
function storeCommand(user, token, file) {
  const script = `(${STORE}
); r=$?; printf "pipeline-end-%s:%d\\n" "$1" $r >&2; exit $r`;
  return asRoot(user, ["bash", "-c", script, "pipeline", token, file.path, String(file.size), file.mode]);
}
function killScript(token, graceSeconds) {
  return `sessions=' '
for file in $(printf '%s' ${token} | grep -lsaFf - /proc/[0-9]*/cmdline); do
  stat=$(<"\${file%cmdline}stat") || continue
  set -- \${stat##*) }
  sessions+="$4 "
done 2>/dev/null
[ "$sessions" != ' ' ] || exit 0
members() {
  local file stat pid
  for file in /proc/[0-9]*/stat; do
    { read -r -d '' stat || true; } <"$file" || continue
    set -- \${stat##*) }
    pid=\${file%/stat}
    [ "$1" = Z ] || [[ $sessions != *" $4 "* ]] || echo "\${pid#/proc/}"
  done 2>/dev/null
}
kill -TERM $(members) 2>/dev/null
end=$((SECONDS + ${graceSeconds}))
while [ "$SECONDS" -lt "$end" ]; do
  [ -n "$(members)" ] || exit 0
  sleep 0.1
done
kill -KILL $(members) 2>/dev/null
true`;
}

// src/ssh/openssh.ts
var DEFAULT_TIMEOUT_MS = 10 * 6e4;
var SIGN_IN_MS = 2e4;
var LINGER_MS = 1e3;
var GRACE_SECONDS = 3;
function connect(target3, context, options = {}) {
  return new OpenSshConnection(target3, context, options);
}
var OpenSshConnection = class {
  target;
  #context;
  #program;
  #patience;
  #env;
  #master;
  constructor(target3, context, options) {
    this.target = target3;
    this.#context = context;
    this.#program = options.program ?? "ssh";
    this.#patience = {
      connectTimeoutSeconds: options.connectTimeoutSeconds ?? 10,
      silenceSeconds: options.silenceSeconds ?? 30
    };
    this.#env = { ...context.env, LC_ALL: "C" };
    this.#master = new Master({
      target: target3,
      program: this.#program,
      args: this.sshArguments(),
      env: this.#env,
      persistSeconds: options.persistSeconds ?? 60,
      limitMs: this.#patience.connectTimeoutSeconds * 1e3 + SIGN_IN_MS,
      signal: context.signal
    });
  }
  sshArguments() {
    return sshArguments(this.target, this.#patience);
  }
  async script(text2, options) {
    const hide = redactor(options.secrets);
    this.#trace(hide(`${options.label}
${text2.trimEnd()}`));
    const result = await this.#run(
      (token) => runCommand(this.target.user, token),
      options,
      (token, stdin) => pipeline(Readable.from([runInput(text2, token)]), stdin)
    );
    const stdout = options.secretOutput === true ? "(output not shown)\n" : result.stdout;
    this.#trace(hide(`${options.label}: exit ${result.exitCode}
${stdout}${result.stderr}`.trimEnd()));
    return result;
  }
  async check(text2, options) {
    const result = await this.script(text2, options);
    if (result.exitCode === 0) return result.stdout;
    throw new Failure("host", `${options.label} failed (exit ${result.exitCode})`, {
      host: this.target.name,
      step: options.label,
      output: lastLines(shownOutput(result, options)),
      next: "The whole output: the same command with --verbose."
    });
  }
  async upload(source, remotePath, options) {
    const size = "path" in source ? (await stat(source.path)).size : source.data.byteLength;
    const file = { path: remotePath, size, mode: options.mode ?? "0644" };
    const label = `upload ${remotePath}`;
    this.#trace(`${label} (${size} B, mode ${file.mode})`);
    let sent = 0;
    const count2 = new Transform({
      transform(chunk, _encoding, done) {
        sent += chunk.length;
        options.onProgress?.(sent);
        done(null, chunk);
      }
    });
    const result = await this.#run(
      (token) => storeCommand(this.target.user, token, file),
      { label, signal: options.signal, timeoutMs: Number.POSITIVE_INFINITY },
      (_token, stdin) => pipeline(
        "path" in source ? createReadStream(source.path) : Readable.from([Buffer.from(source.data)]),
        count2,
        stdin
      )
    );
    if (result.exitCode === 0) return;
    throw uploadFailure(this.target, file, result);
  }
  close() {
    return this.#master.close();
  }
  /** Runs a command line on the host with `input`, within its time, and ends it there too where it is given up here. */
  async #run(line, options, input) {
    const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const time = new AbortController();
    const timer = Number.isFinite(timeoutMs) ? setTimeout(() => time.abort(), timeoutMs) : void 0;
    const stop = AbortSignal.any([this.#context.signal, ...options.signal ? [options.signal] : []]);
    const signal = AbortSignal.any([stop, time.signal]);
    const token = randomBytes4(8).toString("hex");
    let client;
    let result = { exitCode: -1, stdout: "", stderr: "" };
    try {
      signal.throwIfAborted();
      client = await this.#master.client(signal);
      const args = [...client, ...this.sshArguments(), line(token)];
      const { complete, ...outcome } = await this.#execute(args, token, options, input, signal);
      if (complete) return outcome;
      result = outcome;
      signal.throwIfAborted();
    } catch (error) {
      if (client !== void 0) await this.#kill(client, token);
      stop.throwIfAborted();
      throw time.signal.aborted ? timeoutFailure(this.target, options, timeoutMs, result) : error;
    } finally {
      clearTimeout(timer);
    }
    throw await this.#explain(result, options);
  }
  /** One client over the master: until the run's last line, the client's end, or the signal. */
  async #execute(args, token, options, input, signal) {
    const mark = endMark(token);
    const linger = new AbortController();
    let exitCode;
    const onStderr = (text2) => {
      const end = mark.exec(text2);
      if (end !== null) {
        exitCode = Number(end[1]);
        setTimeout(() => linger.abort(), LINGER_MS).unref();
      }
      const own = end === null ? text2 : text2.slice(0, end.index);
      if (end === null || own !== "") options.onStderr?.(own);
    };
    const result = await runProcess(this.#program, args, {
      env: this.#env,
      input: (stdin) => input(token, stdin),
      onStdout: options.onStdout,
      onStderr,
      signal: AbortSignal.any([signal, linger.signal])
    });
    const stderr = result.stderr.replace(new RegExp(`${mark.source.slice(0, -1)}\\n?`), "");
    return {
      complete: exitCode !== void 0,
      exitCode: exitCode ?? result.exitCode ?? -1,
      stdout: result.stdout,
      stderr
    };
  }
  /** Ends a run on the host that is given up here. Best effort: where the connection is gone there is nobody to ask. */
  async #kill(client, token) {
    if (!await this.#master.answers()) return;
    const own = randomBytes4(8).toString("hex");
    const args = [...client, ...this.sshArguments(), runCommand(this.target.user, own)];
    await runProcess(this.#program, args, {
      env: this.#env,
      signal: AbortSignal.timeout((GRACE_SECONDS + 10) * 1e3),
      input: (stdin) => pipeline(Readable.from([runInput(killScript(token, GRACE_SECONDS), own)]), stdin)
    }).catch((error) => this.#trace(`could not end what was running: ${error}`));
  }
  async #explain(result, options) {
    const died = result.exitCode === 255 && await this.#master.answers();
    const exitCode = died ? -1 : result.exitCode;
    const stderr = shownOutput(result, options);
    return connectionFailure(this.target, { stderr, exitCode, connected: true, step: options.label });
  }
  #trace(text2) {
    for (const line of text2.split("\n")) this.#context.trace(`${this.target.name}: ${line}`);
  }
};
function shownOutput({ stdout, stderr }, options) {
  return redactor(options.secrets)(options.secretOutput === true ? stderr : `${stdout}
${stderr}`);
}
function timeoutFailure(target3, options, timeoutMs, result) {
  return new Failure("host", `${options.label} did not end within ${timeoutMs / 1e3} s`, {
    host: target3.name,
    step: options.label,
    output: lastLines(shownOutput(result, options)),
    next: "It was ended on the host. See what it waits for with --verbose, then run the command again."
  });
}
var DISK_FULL = 28;
function uploadFailure(target3, file, result) {
  const step = `upload ${file.path}`;
  const details = { host: target3.name, step, output: lastLines(result.stderr) };
  if (result.exitCode === DISK_FULL) {
    const [free, size] = result.stdout.trim().split(/\s+/).map(Number);
    const room = `${megabytes(free)} free of ${megabytes(size)}`;
    return new Failure("host", `${step}: no room for ${megabytes(file.size)}, ${room}`, {
      ...details,
      next: "Make room on the host or give it a larger disk, then run the command again. Nothing was replaced."
    });
  }
  return new Failure("host", `${step} failed (exit ${result.exitCode})`, {
    ...details,
    next: "What stood there before still stands. The whole output: the same command with --verbose."
  });
}
function megabytes(bytes) {
  if (bytes === void 0 || !Number.isFinite(bytes)) return "an unknown size";
  return bytes < 1e6 ? `${bytes} B` : `${(bytes / 1e6).toFixed(1)} MB`;
}

// src/cloud/digitalocean/host-scripts.ts
var ON_DROPLET = { key: "/etc/ssh/ssh_host_ed25519_key", home: "/root" };
var SETTLE_SCRIPT = `
command -v cloud-init >/dev/null || exit 0
cloud-init status --wait >/dev/null 2>&1; code=$?
[ "$code" = 0 ] || cloud-init status --long
exit "$code"
`;
function offerScript({ key, home }, authorizedKeys) {
  const add = authorizedKeys.map(
    (line) => `grep -qxF ${quote(line.trim())} "$file" || printf '%s\\n' ${quote(line.trim())} >> "$file"`
  );
  return `
set -e
mkdir -p -m 700 ${home}/.ssh
file=${home}/.ssh/authorized_keys
touch "$file"; chmod 600 "$file"
[ -z "$(tail -c 1 "$file")" ] || echo >> "$file"
${add.join("\n")}
if [ ! -s ${key}.next ] && [ "$(cat ${key}.adopted 2>/dev/null)" != "$(ssh-keygen -y -f ${key})" ]; then
  rm -f ${key}.making ${key}.making.pub
  ssh-keygen -q -t ed25519 -N '' -C "$(hostname)" -f ${key}.making
  rm -f ${key}.making.pub
  sync
  mv ${key}.making ${key}.next
fi
if [ -s ${key}.next ]; then ssh-keygen -y -f ${key}.next; else ssh-keygen -y -f ${key}; fi
`;
}
function adoptScript({ key }) {
  return `
set -e
[ ! -s ${key}.next ] || ssh-keygen -y -f ${key}.next > ${key}.adopted
[ ! -s ${key}.next ] || mv ${key}.next ${key}
ssh-keygen -y -f ${key} > ${key}.pub
for other in $(dirname ${key})/ssh_host_*_key; do [ "$other" = ${key} ] || rm -f "$other" "$other.pub"; done
sync
systemctl reload ssh 2>/dev/null || systemctl restart ssh
`;
}

// src/cloud/digitalocean/host.ts
var REACH_MS = 5 * 6e4;
var PATIENCE_MS = 6e4;
var CLOUD_INIT_MS = 15 * 6e4;
var WAITED_FOR = [
  "unreachable",
  "refused",
  "timeout",
  "closed",
  "lost"
];
var WAITED_FOR_SHORTLY = ["permission", "host-key-changed"];
function openSshHost(options) {
  const { context } = options;
  return (target3) => {
    const { name, address, identityFile } = target3;
    const knownHostsFile = `${options.knownHosts}.${name}`;
    const connection = (options.connect ?? connect)(
      { name, address, port: 22, user: "root", identityFile, knownHostsFile },
      context,
      { connectTimeoutSeconds: 5, persistSeconds: 10 }
    );
    return {
      async reach() {
        await writeKnownHosts(knownHostsFile, [{ address, port: 22, keys: target3.hostKeys }]);
        await reach(connection, options);
      },
      settle: () => settle(connection),
      async offerHostKey() {
        const printed = await connection.check(offerScript(ON_DROPLET, options.authorizedKeys), {
          label: "make a host key"
        });
        return printed.trim().split(/\s+/).slice(0, 2).join(" ");
      },
      async adoptHostKey() {
        await connection.check(adoptScript(ON_DROPLET), { label: "exchange the host key" });
      },
      async close() {
        await connection.close();
        await rm4(knownHostsFile, { force: true }).catch(() => {
        });
      }
    };
  };
  async function reach(connection, { context: context2, clock: clock2 }) {
    let last;
    let answeredAt;
    const waiting = { clock: clock2, signal: context2.signal, everyMs: 1500, withinMs: REACH_MS };
    const reached = await until(waiting, async () => {
      try {
        await connection.check("true", { label: "sign in", timeoutMs: 2e4 });
        return true;
      } catch (error) {
        if (!(error instanceof ConnectionFailure)) throw error;
        last = error;
        if (WAITED_FOR.includes(error.reason)) return void 0;
        answeredAt ??= clock2.now();
        if (WAITED_FOR_SHORTLY.includes(error.reason) && clock2.now() - answeredAt < PATIENCE_MS)
          return void 0;
        throw error;
      }
    });
    if (reached === void 0) throw last;
  }
}
async function settle(connection) {
  const { name } = connection.target;
  const result = await connection.script(SETTLE_SCRIPT, {
    label: "wait for cloud-init",
    timeoutMs: CLOUD_INIT_MS
  });
  if (result.exitCode === 0 || result.exitCode === 2) return;
  throw new Failure("host", `${name}: cloud-init failed (exit ${result.exitCode})`, {
    host: name,
    step: "cloud-init",
    output: lastLines(result.stdout),
    next: `Read /var/log/cloud-init-output.log on the droplet, or delete it at https://cloud.digitalocean.com/droplets and run pipeline prod up: a new one is made.`
  });
}

// src/cloud/digitalocean/catalogue.ts
function checkCatalogue(wanted, catalogue, existing) {
  for (const machine of wanted) {
    const region = checkRegion(machine, catalogue);
    const size = checkSize(machine, region, catalogue);
    checkImage(machine, size, catalogue);
  }
  const { account: account2 } = catalogue;
  if (account2.status === "locked") {
    throw new Failure(
      "cloud",
      `The DigitalOcean account is locked${account2.status_message ? `: ${account2.status_message}` : ""}`,
      {
        next: "See https://cloud.digitalocean.com, then run the command again."
      }
    );
  }
  const room = account2.droplet_limit - existing;
  if (wanted.length > room) {
    throw new Failure(
      "cloud",
      `The account may have ${account2.droplet_limit} droplets and has ${existing}: there is no room for ${wanted.length} more`,
      {
        next: "Remove droplets that you no longer need, or ask for a higher limit at https://cloud.digitalocean.com/account/team/droplet_limit_increase."
      }
    );
  }
}
function isSold(size, region) {
  return size.regions.includes(region.slug) && (region.sizes.length === 0 || region.sizes.includes(size.slug));
}
function checkRegion(machine, { regions }) {
  const region = regions.find(({ slug }) => slug === machine.region);
  if (region === void 0) {
    throw unknown(
      machine,
      "region",
      machine.region,
      regions.filter(({ available }) => available).map(({ slug }) => slug)
    );
  }
  if (!region.available) {
    throw new Failure("cloud", `${machine.name}: the region ${region.slug} takes no new droplets now`, {
      host: machine.name,
      next: `Choose another region in pipeline.yml: ${regions.filter(({ available }) => available).map(({ slug }) => slug).join(", ")}.`
    });
  }
  return region;
}
function checkSize(machine, region, { sizes, regions }) {
  const size = sizes.find(({ slug }) => slug === machine.size);
  if (size === void 0) {
    throw unknown(
      machine,
      "size",
      machine.size,
      sizes.filter((other) => other.available).map(({ slug }) => slug)
    );
  }
  const alternatives = sizes.filter((other) => other.available && isSold(other, region)).filter((other) => other.memory >= size.memory && other.vcpus >= size.vcpus && other.slug !== size.slug).sort((a, b) => a.price_monthly - b.price_monthly).slice(0, 3).map((other) => `${other.slug} ($${other.price_monthly} a month)`);
  const choose = alternatives.length === 0 ? "another size" : alternatives.join(", ");
  if (!size.available) {
    throw new Failure("cloud", `${machine.name}: the size ${size.slug} is sold out`, {
      host: machine.name,
      next: `Choose ${choose} in pipeline.yml, or try again later.`
    });
  }
  if (!isSold(size, region)) {
    const there = regions.filter((other) => other.available && isSold(size, other)).map(({ slug }) => slug);
    throw new Failure(
      "usage",
      `${machine.name}: there is no size ${size.slug} in the region ${region.slug}`,
      {
        host: machine.name,
        next: `In ${region.slug}, choose ${choose}${there.length === 0 ? "" : `; or one of its regions: ${there.join(", ")}`}.`
      }
    );
  }
  return size;
}
function checkImage(machine, size, { images }) {
  const image = images.find(({ id, slug }) => slug === machine.image || String(id) === machine.image);
  if (image === void 0) {
    throw unknown(
      machine,
      "image",
      machine.image,
      images.flatMap(({ slug }) => slug ?? [])
    );
  }
  if (image.regions.length > 0 && !image.regions.includes(machine.region)) {
    throw new Failure(
      "usage",
      `${machine.name}: the image ${machine.image} is not in the region ${machine.region}`,
      {
        host: machine.name,
        next: `It is in ${image.regions.join(", ")}. Choose one of them, or another image, in pipeline.yml.`
      }
    );
  }
  if ((image.min_disk_size ?? 0) > size.disk) {
    throw new Failure(
      "usage",
      `${machine.name}: the image ${machine.image} needs ${image.min_disk_size} GB of disk, and ${size.slug} has ${size.disk} GB`,
      {
        host: machine.name,
        next: "Choose a larger size in pipeline.yml."
      }
    );
  }
}
function unknown(machine, what, word, known) {
  const guess = closest(word, known);
  const shown = what === "image" ? known.filter((slug) => /^(debian|ubuntu)/.test(slug)) : known;
  return new Failure("usage", `${machine.name}: DigitalOcean has no ${what} "${word}"`, {
    host: machine.name,
    next: `${guess === void 0 ? "" : `Did you mean ${guess}? `}There are ${shown.slice(0, 30).join(", ")}${shown.length > 30 ? ", \u2026" : ""}.`
  });
}

// src/cloud/digitalocean/preconditions.ts
var HOST_NAME = /^[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$/;
function checkSpec(spec2) {
  const bad = spec2.machines.find(({ name }) => !HOST_NAME.test(name));
  if (bad !== void 0) {
    throw new Failure("usage", `A droplet cannot be called "${bad.name}"`, {
      host: bad.name,
      next: "In pipeline.yml use letters, digits and dashes for names of hosts, at most 63."
    });
  }
  const long = spec2.machines.find(({ group }) => !isTag(groupTag(marksOf(spec2), group)));
  if (long !== void 0) {
    throw new Failure(
      "usage",
      `The tag for the hosts ${long.group} would be longer than the 255 characters that DigitalOcean takes`,
      {
        next: "Shorten project: or the name of the host in pipeline.yml."
      }
    );
  }
  if (spec2.operators.length === 0) {
    throw new Failure(
      "usage",
      "Nobody could reach the droplets: pipeline.yml names no network that SSH may come from",
      {
        next: "Name yours under operators:, e.g. 203.0.113.7/32, or 0.0.0.0/0 for anywhere."
      }
    );
  }
}
function checkOperatorKey(found, matching, spec2, marks) {
  const here = found.operatorKey?.fingerprint;
  const locked = [...matching.kept.values()].filter((droplet) => {
    const keys = droplet.tags.flatMap((tag) => fingerprintOfTag(marks, tag) ?? []);
    return keys.length > 0 && !keys.some((key2) => key2 === here);
  });
  if (locked.length === 0) return;
  const key = locked[0]?.tags.flatMap((tag) => fingerprintOfTag(marks, tag) ?? [])[0];
  const path = operatorKeyFile(spec2.directory, spec2.environment);
  const names = locked.map(({ name }) => name).join(", ");
  throw new Failure(
    "usage",
    `${names}: made with another key (${key}) than ${here === void 0 ? `this folder has: there is no ${path}` : `the one in ${path} (${here})`}`,
    {
      next: `Copy the file .pipeline/keys/${spec2.environment} from the machine that made them (a colleague's, a backup) to ${path}. Where it is lost for good, nobody can sign in any more: pipeline ${spec2.environment} destroy, then pipeline ${spec2.environment} up.`
    }
  );
}

// src/cloud/digitalocean/warnings.ts
function warningsAbout(all) {
  return [
    ...all.matching.warnings,
    ...[...all.matching.kept.values()].flatMap((droplet) => driftOf(droplet, all)),
    ...foreignDroplets(all),
    ...foreignFirewalls(all)
  ];
}
function driftOf(droplet, { spec: spec2, networks }) {
  const wanted = spec2.machines.find(({ name: name2 }) => name2 === droplet.name);
  if (wanted === void 0) return [];
  const { name } = droplet;
  const differences = [];
  const says = (what, is, should, why) => differences.push(`${name} has ${what} ${is}, pipeline.yml says ${should}: left as it is, since ${why}.`);
  if (droplet.size_slug !== wanted.size) {
    const how = `https://cloud.digitalocean.com/droplets/${droplet.id}/resize`;
    says(
      "size",
      droplet.size_slug,
      wanted.size,
      `resizing powers it off. Resize it at ${how}, or change pipeline.yml`
    );
  }
  if (droplet.region.slug !== wanted.region) {
    says(
      "region",
      droplet.region.slug,
      wanted.region,
      "moving would need a new droplet. Change pipeline.yml back, or delete the droplet and run up"
    );
  }
  const image = droplet.image?.slug ?? String(droplet.image?.id ?? "");
  if (image !== "" && image !== wanted.image && String(droplet.image?.id) !== wanted.image) {
    says(
      "image",
      image,
      wanted.image,
      "another image would need a new droplet. Change pipeline.yml back, or delete the droplet and run up"
    );
  }
  const network3 = networks.get(droplet.region.slug);
  if (network3 !== void 0 && droplet.vpc_uuid && droplet.vpc_uuid !== network3.id) {
    differences.push(
      `${name} is in the network ${droplet.vpc_uuid} and not in ${network3.name}: the others do not reach its private address.`
    );
  }
  if (droplet.status === "archive") {
    differences.push(
      `${name} is archived: restore or delete it at https://cloud.digitalocean.com/droplets/${droplet.id}.`
    );
  }
  return differences;
}
function foreignDroplets({ found, spec: spec2, marks }) {
  const names = new Set(spec2.machines.map(({ name }) => name.toLowerCase()));
  return found.droplets.filter(({ tags: tags2 }) => !hasTag(tags2, marks.owner)).flatMap(({ id, name, tags: tags2 }) => {
    if (hasTag(tags2, marks.environment)) {
      return [
        `The droplet ${name} (${id}) carries the tag ${marks.environment} without this project's owner mark ${marks.owner}: it is left alone.`
      ];
    }
    return names.has(name.toLowerCase()) ? [`Another droplet of the account is called ${name} too (${id}): it is left alone.`] : [];
  });
}
function foreignFirewalls({ found, spec: spec2, marks, matching }) {
  const own = new Set(ownFirewallsOfAll(found.firewalls, marks).map(({ id }) => id));
  const ours = [marks.environment, marks.owner, ...spec2.machines.map(({ group }) => groupTag(marks, group))];
  const ids = new Set([...matching.kept.values()].map(({ id }) => id));
  return found.firewalls.filter((firewall) => !own.has(firewall.id) && firewall.inbound_rules.length > 0).filter(
    ({ tags: tags2, droplet_ids }) => ours.some((tag) => hasTag(tags2, tag)) || droplet_ids.some((id) => ids.has(id))
  ).map(
    ({ name, id }) => `The firewall ${name} (${id}), which is not from here, opens ports of droplets of this environment: see https://cloud.digitalocean.com/networking/firewalls/${id}.`
  );
}

// src/cloud/digitalocean/plan.ts
var BATCH = 10;
function planDigitalOcean(found, spec2) {
  const marks = marksOf(spec2);
  checkSpec(spec2);
  const matching = matchDroplets(found.droplets, spec2, marks);
  checkOperatorKey(found, matching, spec2, marks);
  if (found.catalogue !== void 0) {
    checkCatalogue(matching.missing, found.catalogue, found.droplets.length);
  }
  const networks = planNetworks(found, spec2, marks);
  const steps = [
    ...planTags(found, spec2, marks),
    ...planKey(found, spec2, marks),
    ...networks.steps,
    ...planFirewalls(found, spec2, marks),
    ...planCreation(matching.missing, found, networks.byRegion),
    ...matching.steps,
    ...[...matching.kept.values()].flatMap((droplet) => planUpkeep(droplet, spec2, marks)),
    ...planSweep(found, matching, spec2, marks)
  ];
  return {
    operations: steps.map(({ operation }) => operation),
    changes: steps.flatMap(({ changes }) => changes),
    machines: [...matching.kept.values()].map((droplet) => toMachine(droplet, spec2, marks)),
    warnings: warningsAbout({ found, spec: spec2, marks, matching, networks: networks.byRegion })
  };
}
function planTags(found, spec2, marks) {
  const groups = new Set(spec2.machines.map(({ group }) => groupTag(marks, group)));
  const names = [marks.environment, marks.owner, ...groups].filter((tag) => !hasTag(found.tags, tag));
  if (names.length === 0) return [];
  return [{ operation: { kind: "tags", names }, changes: [change(null, "tags", "create", names)] }];
}
function planKey(found, spec2, marks) {
  const { operatorKey: operatorKey2, accountKey } = found;
  const tagged = operatorKey2 !== void 0 && hasTag(found.tags, keyTag(marks, operatorKey2.fingerprint));
  if (accountKey !== void 0 && tagged) return [];
  const detail = [
    operatorKey2 === void 0 ? `made here: .pipeline/keys/${spec2.environment} (ed25519, for you alone)` : `from .pipeline/keys/${spec2.environment}`,
    accountKey === void 0 ? `registered in the account as ${marks.name}` : `known to the account as ${accountKey.name}`
  ];
  return [{ operation: { kind: "key" }, changes: [change(null, "key", "create", detail)] }];
}
function planCreation(missing, found, networks) {
  const alike = /* @__PURE__ */ new Map();
  for (const machine of missing) {
    const kind = [machine.group, machine.region, machine.size, machine.image].join(" ");
    alike.set(kind, [...alike.get(kind) ?? [], machine]);
  }
  return [...alike.values()].flatMap(
    (machines2) => Array.from({ length: Math.ceil(machines2.length / BATCH) }, (_, index) => {
      const batch = machines2.slice(index * BATCH, (index + 1) * BATCH);
      return {
        operation: {
          kind: "droplets",
          machines: batch,
          network: networks.get(batch[0]?.region ?? "")?.id ?? null
        },
        changes: batch.map(
          (machine) => change(machine.name, "droplet", "create", [describe2(machine, found)])
        )
      };
    })
  );
}
function describe2(machine, found) {
  const price = found.catalogue?.sizes.find(({ slug }) => slug === machine.size)?.price_monthly;
  const cost = price === void 0 ? "" : `, $${price.toFixed(2)} a month`;
  return `${machine.size} in ${machine.region}, ${machine.image}${cost}`;
}
function planUpkeep(droplet, spec2, marks) {
  const { id } = droplet;
  const group = spec2.machines.find(({ name }) => name === droplet.name)?.group;
  const wanted = [marks.environment, ...group === void 0 ? [] : [groupTag(marks, group)]];
  const steps = wanted.filter((tag) => !hasTag(droplet.tags, tag)).map((tag) => ({
    operation: { kind: "tag", id, name: droplet.name, tag },
    changes: [change(droplet.name, "droplet", "change", [`+ tag ${tag}`])]
  }));
  if (droplet.status === "off") {
    steps.push({
      operation: { kind: "power on", id, name: droplet.name },
      changes: [change(droplet.name, "droplet", "restart", ["it is powered off: power on"])]
    });
  }
  if (isFresh(droplet, marks)) {
    steps.push({
      operation: { kind: "first contact", id, name: droplet.name },
      changes: [change(droplet.name, "droplet", "change", ["finish its first start, exchange its host key"])]
    });
  }
  if (droplet.status !== "new" && lacksHostKey(droplet, marks)) {
    steps.push({
      operation: { kind: "host key", id, name: droplet.name },
      changes: [
        change(droplet.name, "host key", "change", [`unknown: the tag ${marks.prefix}host-key:\u2026 is gone`])
      ]
    });
  }
  return steps;
}
function planSweep(found, matching, spec2, marks) {
  const unsettled = (droplet) => isFresh(droplet, marks) || lacksHostKey(droplet, marks);
  if ([...matching.kept.values()].some(unsettled)) return [];
  const removed = new Set(
    matching.steps.flatMap(({ operation }) => operation.kind === "remove droplet" ? [operation.id] : [])
  );
  const staying = found.droplets.filter(({ id }) => !removed.has(id));
  const groups = spec2.machines.map(({ group }) => groupTag(marks, group));
  const names = found.tags.filter(
    (tag) => (hostKeysOf(marks, "host", [tag]).length > 0 || groupOf(marks, [tag]) !== void 0) && !hasTag(groups, tag) && !staying.some(({ tags: tags2 }) => hasTag(tags2, tag))
  );
  return names.length === 0 ? [] : [{ operation: { kind: "remove tags", names }, changes: [change(null, "tags", "remove", names)] }];
}

// src/cloud/digitalocean/gate.ts
var WIDTH2 = 16;
var STAGE = "API rate limit";
function createGate(context, clock2) {
  let running = 0;
  let openAt = 0;
  let waiting = false;
  const queue = [];
  async function enter() {
    if (running < WIDTH2) {
      running++;
      return;
    }
    await new Promise((resolve) => queue.push(resolve));
  }
  function leave() {
    const next = queue.shift();
    if (next === void 0) running--;
    else next();
  }
  async function waitUntilOpen() {
    for (let wait = openAt - clock2.now(); wait > 0; wait = openAt - clock2.now()) {
      await clock2.sleep(wait, context.signal);
    }
    if (!waiting) return;
    waiting = false;
    context.progress({ stage: STAGE, state: "done" });
  }
  return {
    async run(call) {
      await enter();
      try {
        await waitUntilOpen();
        context.signal.throwIfAborted();
        return await call();
      } finally {
        leave();
      }
    },
    pause(ms, why) {
      const until2 = clock2.now() + ms + clock2.random() * Math.min(1e3, ms / 4);
      if (until2 <= openAt) return;
      openAt = until2;
      waiting = true;
      context.progress({
        stage: STAGE,
        state: "running",
        detail: `DigitalOcean asks to wait ${Math.ceil(ms / 1e3)} s${why === "" ? "" : ` (${why})`}`
      });
    }
  };
}

// src/cloud/digitalocean/rate-limit.ts
var LONGEST_MS = 36e5;
var SHORTEST_MS = 1e3;
function rateLimitWait(headers, localNow) {
  const date = Date.parse(headers.get("date") ?? "");
  const now = Number.isNaN(date) ? localNow : date;
  const after = headers.get("retry-after");
  const reset = headers.get("ratelimit-reset");
  const wait = after !== null ? retryAfter(after, now) : reset !== null ? Number(reset) * 1e3 - now : Number.NaN;
  if (!Number.isFinite(wait)) return SHORTEST_MS * 10;
  return Math.min(LONGEST_MS, Math.max(SHORTEST_MS, wait));
}
function retryAfter(value, now) {
  return /^\d+$/.test(value.trim()) ? Number(value) * 1e3 : Date.parse(value) - now;
}

// src/cloud/digitalocean/transport.ts
var DEFAULT_URL = "https://api.digitalocean.com";
var ATTEMPTS2 = 6;
var ATTEMPTS_NOT_SENT = 3;
var RATE_LIMITED = 20;
var BACKOFF = { first: 500, longest: 1e4 };
var TIMEOUT_MS = 3e4;
function createTransport(context, options) {
  const token = checkedToken(options.token);
  const base = checkedUrl(options.apiUrl ?? DEFAULT_URL);
  const { clock: clock2 } = options;
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  const hide = redactor([token]);
  const gate = createGate(context, clock2);
  let sent = 0;
  async function exchange(call) {
    const url = new URL(`${base.pathname.replace(/\/$/, "")}${call.path}`, base);
    for (const [name, value] of Object.entries(call.query ?? {})) url.searchParams.set(name, String(value));
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), timeoutMs);
    const stop = () => limit.abort();
    context.signal.addEventListener("abort", stop);
    const begun = clock2.now();
    sent++;
    try {
      const response = await fetch(url, {
        method: call.method,
        redirect: "manual",
        signal: limit.signal,
        headers: {
          authorization: `Bearer ${token}`,
          accept: "application/json",
          "user-agent": "pipeline",
          ...call.body === void 0 ? {} : { "content-type": "application/json" }
        },
        ...call.body === void 0 ? {} : { body: JSON.stringify(call.body) }
      });
      const text2 = await response.text();
      const took = Math.round(clock2.now() - begun);
      const requestId = response.headers.get("x-request-id") ?? void 0;
      context.trace(
        hide(
          `${call.method} ${url.pathname}${url.search} \u2192 ${response.status} in ${took} ms${requestId === void 0 ? "" : `, request ${requestId}`}`
        )
      );
      return read(call, response, text2, requestId);
    } catch (error) {
      if (error instanceof ApiError) throw error;
      context.signal.throwIfAborted();
      const failed = limit.signal.aborted ? timeoutError(call, base.origin, timeoutMs) : networkError(call, base.origin, error);
      context.trace(hide(`${call.method} ${url.pathname}${url.search} \u2192 ${failed.message}`));
      throw failed;
    } finally {
      clearTimeout(timer);
      context.signal.removeEventListener("abort", stop);
    }
  }
  function read(call, response, text2, headerId) {
    const { status } = response;
    if (status >= 200 && status < 300) {
      if (call.answer === void 0) return void 0;
      const parsed = call.answer.safeParse(parseJson(text2));
      if (parsed.success) return parsed.data;
      throw answerError(call, status, hide(mismatch(response, text2, parsed.error)), headerId);
    }
    if (status < 400) throw answerError(call, status, `it leads elsewhere (${status})`, headerId);
    const body = errorSchema.safeParse(parseJson(text2)).data;
    throw refusalError({
      call,
      status,
      said: hide(
        body?.message ?? [body?.error, ...body?.root_causes ?? []].filter(Boolean).join(": ")
      ).slice(0, 300),
      requestId: body?.request_id ?? headerId,
      waitMs: status === 429 ? rateLimitWait(response.headers, Date.now()) : void 0,
      tokenName: tokenName(context.env, token)
    });
  }
  async function send2(call) {
    const safe = (call.repeat ?? (call.method === "POST" ? "look" : "safe")) === "safe";
    let failures = 0;
    let limited2 = 0;
    for (; ; ) {
      try {
        return await gate.run(() => exchange(call));
      } catch (error) {
        if (!(error instanceof ApiError) || !error.transient) throw error;
        if (error.status === 429) {
          if (++limited2 >= RATE_LIMITED) throw error;
          gate.pause(error.waitMs ?? BACKOFF.longest, error.said);
          continue;
        }
        if (error.effect === "unknown" && !safe) throw error;
        if (++failures >= (error.effect === "none" ? ATTEMPTS_NOT_SENT : ATTEMPTS2)) throw error;
        const ceiling = Math.min(BACKOFF.longest, BACKOFF.first * 2 ** (failures - 1));
        const wait = ceiling * (0.5 + clock2.random() / 2);
        context.progress({
          stage: "DigitalOcean API",
          state: "running",
          detail: `${error.message}; again in ${(wait / 1e3).toFixed(1)} s`
        });
        await clock2.sleep(wait, context.signal);
      }
    }
  }
  return { send: send2, origin: base.origin, sent: () => sent };
}
function tokenName(env, token) {
  const name = Object.keys(env).find((key) => /TOKEN/.test(key) && env[key]?.trim() === token);
  return name === void 0 ? "the token" : `the token in ${name}`;
}
function checkedToken(text2) {
  const token = text2.trim();
  if (token === "") {
    throw new Failure("usage", "DigitalOcean needs an API token, and none was given", {
      next: "Make one at https://cloud.digitalocean.com/account/api/tokens, then: export DOTOKEN=\u2026"
    });
  }
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new Failure(
    "usage",
    "The DigitalOcean token holds a character that no token has (a space, a line break, a letter with an accent)",
    {
      next: "Copy it again, whole and alone, from where it was shown: export DOTOKEN=\u2026"
    }
  );
}
function checkedUrl(text2) {
  const mistake = (why) => new Failure("usage", `DIGITALOCEAN_API_URL is ${why}`, {
    next: `Give it like ${DEFAULT_URL} or http://127.0.0.1:8080, or unset it.`
  });
  if (!URL.canParse(text2)) throw mistake("no address");
  const url = new URL(text2);
  if (url.username !== "" || url.password !== "") throw mistake("an address with a user or password in it");
  if (url.protocol !== "https:" && url.protocol !== "http:") throw mistake("neither http nor https");
  url.pathname = url.pathname.replace(/\/+$/, "").replace(/\/v2$/, "");
  return url;
}
function parseJson(text2) {
  try {
    return JSON.parse(text2);
  } catch {
    return void 0;
  }
}
function mismatch(response, text2, error) {
  if (parseJson(text2) === void 0) {
    return `it is not JSON (${text2.length} characters of ${response.headers.get("content-type") ?? "no type"})`;
  }
  const issue = error.issues[0];
  return `${issue?.path.join(".") || "the whole"}: ${issue?.message ?? "unknown"}`;
}

// src/cloud/digitalocean/provider.ts
function createDigitalOceanProvider(context, spec2, options) {
  const clock2 = options.clock ?? systemClock();
  const transport = createTransport(context, { ...options, clock: clock2 });
  const api = createApi(transport);
  const knownHosts = join3(spec2.directory, ".pipeline", `first-contact.${spec2.environment}`);
  const { connect: connect2 } = options;
  const openHost = openSshHost({ context, clock: clock2, knownHosts, connect: connect2, authorizedKeys: spec2.authorizedKeys });
  const work = { context, spec: spec2, marks: marksOf(spec2), api, clock: clock2, openHost };
  const plan = async () => planDigitalOcean(await survey(api, spec2), spec2);
  return {
    name: "digitalocean",
    plan,
    async apply(given) {
      await applyPlan(work, isOwnPlan(given) ? given : await plan());
      return wantedMachines(work);
    },
    machines: () => machines(work),
    destroyable: () => destroyable(work),
    destroy: () => destroy(work)
  };
}
function isOwnPlan(plan) {
  return "operations" in plan;
}
async function machines({ api, spec: spec2, marks }) {
  const order = new Map(spec2.machines.map(({ name }, index) => [name, index]));
  const place = ({ name }) => order.get(name) ?? order.size;
  const droplets2 = await api.droplets(marks.environment);
  return droplets2.filter((droplet) => isOurs(droplet, marks)).map((droplet) => toMachine(droplet, spec2, marks)).sort((a, b) => place(a) - place(b) || a.name.localeCompare(b.name, "en", { numeric: true }));
}
async function wantedMachines({ api, spec: spec2, marks }) {
  const { kept } = matchDroplets(await api.droplets(marks.environment), spec2, marks);
  return [...kept.values()].map((droplet) => toMachine(droplet, spec2, marks));
}

// src/context.ts
function quietContext(overrides = {}) {
  return {
    env: process.env,
    cwd: process.cwd(),
    signal: new AbortController().signal,
    progress: () => {
    },
    trace: () => {
    },
    now: () => /* @__PURE__ */ new Date(),
    ...overrides
  };
}

// test/cloud/digitalocean/reference.ts
function machineSpec(name, overrides = {}) {
  return {
    name,
    group: name.replace(/-\d+$/, ""),
    roles: [],
    exposures: [{ port: 22, protocol: "tcp", from: "operators" }],
    memoryBytes: 2 ** 30,
    cpus: 1,
    size: "s-1vcpu-1gb",
    region: "nyc3",
    image: "debian-12-x64",
    ...overrides
  };
}

// test/fakes/digitalocean/account.ts
import { randomUUID } from "node:crypto";

// test/fakes/digitalocean/catalogue.ts
var SIZES = [
  ["s-1vcpu-512mb-10gb", 512, 1, 10, 0.5, 4],
  ["s-1vcpu-1gb", 1024, 1, 25, 1, 6],
  ["s-1vcpu-2gb", 2048, 1, 50, 2, 12],
  ["s-2vcpu-2gb", 2048, 2, 60, 3, 18],
  ["s-2vcpu-4gb", 4096, 2, 80, 4, 24],
  ["s-4vcpu-8gb", 8192, 4, 160, 5, 48],
  ["s-8vcpu-16gb", 16384, 8, 320, 6, 96],
  ["c-2", 4096, 2, 25, 4, 42]
];
var REGIONS = [
  ["nyc1", "New York 1"],
  ["nyc2", "New York 2"],
  ["nyc3", "New York 3"],
  ["sfo2", "San Francisco 2"],
  ["sfo3", "San Francisco 3"],
  ["ams3", "Amsterdam 3"],
  ["fra1", "Frankfurt 1"],
  ["lon1", "London 1"],
  ["sgp1", "Singapore 1"],
  ["tor1", "Toronto 1"],
  ["blr1", "Bangalore 1"],
  ["syd1", "Sydney 1"]
];
var IMAGES = [
  ["debian-12-x64", "Debian", "12 x64"],
  ["debian-13-x64", "Debian", "13 x64"],
  ["ubuntu-22-04-x64", "Ubuntu", "22.04 (LTS) x64"],
  ["ubuntu-24-04-x64", "Ubuntu", "24.04 (LTS) x64"],
  ["fedora-42-x64", "Fedora", "42 x64"],
  ["rockylinux-9-x64", "Rocky Linux", "9 x64"]
];
var FEATURES = ["backups", "ipv6", "metadata", "install_agent", "storage", "image_transfer"];
function fakeCatalogue() {
  const slugs = REGIONS.map(([slug]) => slug);
  return {
    sizes: SIZES.map(([slug, memory, vcpus, disk, transfer, price]) => ({
      ...{ slug, memory, vcpus, disk, transfer },
      price_monthly: price,
      price_hourly: Math.round(price / 672 * 1e5) / 1e5,
      // The processors for larger sizes are not everywhere.
      regions: slug === "c-2" ? slugs.filter((region) => region !== "nyc2") : [...slugs],
      available: true,
      description: slug.startsWith("c-") ? "CPU-Optimized" : "Basic"
    })),
    regions: REGIONS.map(([slug, name]) => ({
      ...{ slug, name },
      features: [...FEATURES],
      available: slug !== "nyc2" && slug !== "sfo2",
      sizes: SIZES.map(([size]) => size).filter((size) => size !== "c-2" || slug !== "nyc2")
    })),
    images: IMAGES.map(([slug, distribution, name], index) => ({
      id: 195932981 + index,
      ...{ slug, name, distribution },
      type: "base",
      public: true,
      regions: [...slugs],
      created_at: "2025-06-16T00:00:00Z",
      min_disk_size: 7,
      size_gigabytes: 0.68,
      description: `${distribution} ${name}`,
      tags: [],
      status: "available",
      error_message: ""
    }))
  };
}

// test/fakes/digitalocean/account.ts
var NO_DELAYS = {
  boot: 0,
  addresses: 0,
  visible: 0,
  firewall: 0,
  removal: 0,
  power: 0,
  latency: 0,
  ssh: 0
};
var REALISTIC_DELAYS = {
  ...{ boot: 3e4, addresses: 4e3, visible: 1e3, firewall: 3e3, removal: 5e3, power: 6e3 },
  latency: 150,
  ssh: 250
};
function fakeAccount(overrides = {}) {
  return {
    droplets: [],
    firewalls: [],
    vpcs: [
      {
        id: randomUUID(),
        name: "default-nyc3",
        description: "",
        region: "nyc3",
        ipRange: "10.108.0.0/20",
        isDefault: true,
        createdAt: 0
      }
    ],
    keys: [],
    tags: [],
    actions: [],
    catalogue: fakeCatalogue(),
    dropletLimit: 100,
    tagLimit: 1e4,
    status: "active",
    nextId: 500000001,
    nextAddress: 1,
    delays: NO_DELAYS,
    ...overrides
  };
}
function canonicalTag(account2, name) {
  const existing = findTag(account2, name);
  if (existing !== void 0) return existing;
  account2.tags.push(name);
  return name;
}
function findTag(account2, name) {
  return account2.tags.find((tag) => tag.toLowerCase() === name.toLowerCase());
}
function livingDroplets(account2, now) {
  account2.droplets = account2.droplets.filter(({ goneAt }) => goneAt > now);
  return account2.droplets;
}
function dropletStatus(droplet, now) {
  if (now < droplet.activeAt) return "new";
  return droplet.power === "on" ? "active" : "off";
}
function guardedBy(firewall, droplets2) {
  return droplets2.filter(
    ({ id, tags: tags2 }) => firewall.dropletIds.includes(id) || firewall.tags.some((tag) => tags2.includes(tag))
  );
}

// test/fakes/digitalocean/server.ts
import { randomUUID as randomUUID4 } from "node:crypto";
import { createServer } from "node:http";

// test/fakes/digitalocean/request.ts
var Refused = class extends Error {
  answer;
  constructor(status, id, message) {
    super(message);
    this.answer = { status, body: { id, message } };
  }
};
var notFound = () => new Refused(404, "not_found", "The resource you were accessing could not be found.");
var unprocessable = (message) => new Refused(422, "unprocessable_entity", message);
var forbidden = (message) => new Refused(403, "forbidden", message);
function page(request, field2, items) {
  const size = Math.min(200, positive(request.query.get("per_page"), 20));
  const number = positive(request.query.get("page"), 1);
  const last = Math.max(1, Math.ceil(items.length / size));
  const link2 = (target3) => {
    const query = new URLSearchParams(request.query);
    query.set("page", String(target3));
    return `${request.origin}${request.path}?${query}`;
  };
  const pages = {
    ...number > 1 ? { first: link2(1), prev: link2(number - 1) } : {},
    ...number < last ? { next: link2(number + 1), last: link2(last) } : {}
  };
  return {
    status: 200,
    body: {
      [field2]: items.slice((number - 1) * size, number * size),
      // A list of one page says nothing about pages.
      ...last === 1 ? {} : { links: { pages } },
      meta: { total: items.length }
    }
  };
}
function positive(text2, otherwise) {
  if (text2 === null) return otherwise;
  const number = Number(text2);
  if (!Number.isInteger(number) || number < 1)
    throw unprocessable("per_page and page must be positive integers.");
  return number;
}
function object(value) {
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value;
  throw new Refused(400, "bad_request", "The request body is not a JSON object.");
}
function text(value, name) {
  if (typeof value === "string") return value;
  throw unprocessable(`${name} must be a string.`);
}
function texts(value, name) {
  if (value === void 0 || value === null) return [];
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  throw unprocessable(`${name} must be an array of strings.`);
}
function isoTime(ms) {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

// test/fakes/digitalocean/catalogue-routes.ts
var catalogueRoutes = [
  {
    method: "GET",
    path: "/v2/sizes",
    handle: (request) => page(request, "sizes", request.account.catalogue.sizes)
  },
  {
    method: "GET",
    path: "/v2/regions",
    handle: (request) => page(request, "regions", request.account.catalogue.regions)
  },
  {
    method: "GET",
    path: "/v2/images",
    handle: (request) => {
      const own = request.query.get("private") === "true";
      return page(
        request,
        "images",
        request.account.catalogue.images.filter((image) => image.public !== own)
      );
    }
  }
];

// test/fakes/digitalocean/firewalls.ts
import { randomUUID as randomUUID2 } from "node:crypto";
import { isIP } from "node:net";
var NAME = /^[a-zA-Z0-9][a-zA-Z0-9.-]+$/;
var MOST_RULES = 50;
var firewallRoutes = [
  {
    method: "GET",
    path: "/v2/firewalls",
    handle: (request) => page(
      request,
      "firewalls",
      request.account.firewalls.map((one) => firewallBody(one, request))
    )
  },
  {
    method: "POST",
    path: "/v2/firewalls",
    handle: (request) => {
      const { account: account2, now } = request;
      const firewall = {
        id: randomUUID2(),
        createdAt: now,
        ...readFirewall(request),
        appliedAt: now + account2.delays.firewall
      };
      unique(account2, firewall);
      account2.firewalls.push(firewall);
      return { status: 202, body: { firewall: firewallBody(firewall, request) } };
    }
  },
  {
    method: "GET",
    path: "/v2/firewalls/:id",
    handle: (request) => ({ status: 200, body: { firewall: firewallBody(find(request), request) } })
  },
  {
    method: "PUT",
    path: "/v2/firewalls/:id",
    handle: (request) => {
      const firewall = find(request);
      const wanted = readFirewall(request);
      unique(request.account, { ...wanted, id: firewall.id });
      Object.assign(firewall, wanted, { appliedAt: request.now + request.account.delays.firewall });
      return { status: 200, body: { firewall: firewallBody(firewall, request) } };
    }
  },
  { method: "DELETE", path: "/v2/firewalls/:id", handle: remove }
];
function remove(request) {
  const firewall = find(request);
  request.account.firewalls = request.account.firewalls.filter((one) => one !== firewall);
  return { status: 204 };
}
function find({ account: account2, params }) {
  const firewall = account2.firewalls.find(({ id }) => id === params.id);
  if (firewall === void 0) throw notFound();
  return firewall;
}
function unique(account2, firewall) {
  if (account2.firewalls.some(({ id, name }) => id !== firewall.id && name === firewall.name)) {
    throw new Refused(409, "conflict", "duplicate name");
  }
}
function readFirewall({
  body: json,
  account: account2
}) {
  const body = object(json);
  const name = text(body.name, "name");
  if (!NAME.test(name)) throw unprocessable("invalid name");
  const inbound = rules(body.inbound_rules, "sources", account2);
  const outbound = rules(body.outbound_rules, "destinations", account2);
  if (inbound.length + outbound.length === 0) throw unprocessable("must have at least one rule");
  if (inbound.length + outbound.length > MOST_RULES) throw unprocessable("too many rules");
  const dropletIds = Array.isArray(body.droplet_ids) ? body.droplet_ids : [];
  if (dropletIds.length > 10) throw unprocessable("too many droplets: use tags");
  return { name, inbound, outbound, dropletIds, tags: existingTags(body.tags, account2) };
}
function existingTags(value, account2) {
  return texts(value, "tags").map((tag) => {
    const known = findTag(account2, tag);
    if (known === void 0) throw unprocessable(`tag ${tag} does not exist`);
    return known;
  });
}
function rules(value, side, account2) {
  if (value === void 0 || value === null) return [];
  if (!Array.isArray(value)) throw unprocessable("rules must be an array");
  return value.map((item) => {
    const rule2 = object(item);
    const protocol = text(rule2.protocol, "protocol");
    if (!["tcp", "udp", "icmp"].includes(protocol)) throw unprocessable("invalid protocol");
    const ports = text(rule2.ports, "ports");
    if (!/^(0|\d{1,5}(-\d{1,5})?)$/.test(ports)) throw unprocessable("invalid ports");
    return { protocol, ports, [side]: target2(rule2[side], account2) };
  });
}
function target2(value, account2) {
  const given = object(value);
  const addresses = texts(given.addresses, "addresses");
  for (const address of addresses) {
    if (isIP(address.split("/")[0] ?? "") === 0) throw unprocessable("invalid address");
  }
  const tags2 = existingTags(given.tags, account2);
  return {
    ...addresses.length > 0 ? { addresses } : {},
    ...tags2.length > 0 ? { tags: tags2 } : {},
    ...Array.isArray(given.droplet_ids) ? { droplet_ids: given.droplet_ids } : {}
  };
}
function firewallBody(firewall, { account: account2, now }) {
  const waiting = now < firewall.appliedAt;
  const guarded = guardedBy(firewall, livingDroplets(account2, now));
  return {
    id: firewall.id,
    name: firewall.name,
    status: waiting ? "waiting" : "succeeded",
    inbound_rules: firewall.inbound,
    outbound_rules: firewall.outbound,
    created_at: isoTime(firewall.createdAt),
    droplet_ids: firewall.dropletIds,
    tags: firewall.tags,
    pending_changes: waiting ? guarded.map(({ id }) => ({ droplet_id: id, removing: false, status: "waiting" })) : []
  };
}

// test/fakes/digitalocean/tags.ts
var TAG2 = /^[a-zA-Z0-9_\-:]+$/;
var tagRoutes = [
  {
    method: "GET",
    path: "/v2/tags",
    handle: (request) => page(
      request,
      "tags",
      request.account.tags.map((name) => tagBody(name, request))
    )
  },
  {
    method: "POST",
    path: "/v2/tags",
    handle: (request) => {
      const name = text(object(request.body).name, "name");
      checkTag(request.account, name);
      return { status: 201, body: { tag: tagBody(canonicalTag(request.account, name), request) } };
    }
  },
  {
    method: "GET",
    path: "/v2/tags/:name",
    handle: (request) => ({ status: 200, body: { tag: tagBody(find2(request), request) } })
  },
  {
    method: "DELETE",
    path: "/v2/tags/:name",
    handle: (request) => {
      const name = find2(request);
      const { account: account2 } = request;
      account2.tags = account2.tags.filter((tag) => tag !== name);
      for (const thing of [...account2.droplets, ...account2.firewalls])
        thing.tags = thing.tags.filter((tag) => tag !== name);
      return { status: 204 };
    }
  },
  { method: "POST", path: "/v2/tags/:name/resources", handle: (request) => assign(request, true) },
  { method: "DELETE", path: "/v2/tags/:name/resources", handle: (request) => assign(request, false) }
];
function checkTag(account2, name) {
  if (!TAG2.test(name) || name.length > 255) throw unprocessable(`invalid tag name: ${name.slice(0, 40)}`);
  if (findTag(account2, name) === void 0 && account2.tags.length >= account2.tagLimit)
    throw unprocessable("Tag limit exceeded for this account.");
}
function find2({ account: account2, params }) {
  const name = findTag(account2, params.name ?? "");
  if (name === void 0) throw notFound();
  return name;
}
function assign(request, on) {
  const name = find2(request);
  const { resources } = object(request.body);
  if (!Array.isArray(resources)) throw unprocessable("resources must be an array.");
  const droplets2 = resources.map((item) => {
    const { resource_id: id, resource_type: type } = object(item);
    if (type !== "droplet") throw unprocessable("This fake tags droplets alone.");
    const droplet = livingDroplets(request.account, request.now).find((one) => String(one.id) === id);
    if (droplet === void 0) throw notFound();
    return droplet;
  });
  for (const droplet of droplets2) {
    droplet.tags = droplet.tags.filter((tag) => tag !== name);
    if (on) droplet.tags.push(name);
  }
  return { status: 204 };
}
function tagBody(name, { account: account2, now, origin }) {
  const tagged = livingDroplets(account2, now).filter(({ tags: tags2 }) => tags2.includes(name));
  const last = tagged.at(-1);
  const none = { count: 0 };
  const counted = {
    count: tagged.length,
    ...last === void 0 ? {} : { last_tagged_uri: `${origin}/v2/droplets/${last.id}` }
  };
  return {
    name,
    resources: {
      ...counted,
      droplets: counted,
      images: none,
      volumes: none,
      volume_snapshots: none,
      databases: none
    }
  };
}

// test/fakes/digitalocean/vpcs.ts
import { randomUUID as randomUUID3 } from "node:crypto";
var NAME2 = /^[a-zA-Z0-9\-.]+$/;
var vpcRoutes = [
  {
    method: "GET",
    path: "/v2/vpcs",
    handle: (request) => page(request, "vpcs", request.account.vpcs.map(vpcBody))
  },
  { method: "POST", path: "/v2/vpcs", handle: create },
  {
    method: "GET",
    path: "/v2/vpcs/:id",
    handle: (request) => ({ status: 200, body: { vpc: vpcBody(find3(request)) } })
  },
  {
    method: "GET",
    path: "/v2/vpcs/:id/members",
    handle: (request) => page(
      request,
      "members",
      members(request, find3(request)).map(({ id, name, createdAt }) => ({
        urn: `do:droplet:${id}`,
        name,
        created_at: isoTime(createdAt)
      }))
    )
  },
  {
    method: "DELETE",
    path: "/v2/vpcs/:id",
    handle: (request) => {
      const vpc = find3(request);
      if (vpc.isDefault) throw forbidden("Can not delete default VPCs");
      if (members(request, vpc).length > 0) throw forbidden("Can not delete VPC with members");
      request.account.vpcs = request.account.vpcs.filter((one) => one !== vpc);
      return { status: 204 };
    }
  }
];
function create(request) {
  const { account: account2, now } = request;
  const body = object(request.body);
  const name = text(body.name, "name");
  const region = text(body.region, "region");
  const description = body.description === void 0 ? "" : text(body.description, "description");
  if (!NAME2.test(name))
    throw unprocessable("name may only contain alphanumeric characters, dashes, and periods");
  if (description.length > 255) throw unprocessable("description is too long");
  if (account2.vpcs.some((vpc2) => vpc2.name === name))
    throw unprocessable("There is already a VPC with this name.");
  if (!account2.catalogue.regions.some(({ slug }) => slug === region)) throw unprocessable("invalid region");
  const vpc = {
    ...{ name, region, description },
    id: randomUUID3(),
    ipRange: body.ip_range === void 0 ? freeRange(account2) : text(body.ip_range, "ip_range"),
    // The first network of a region is its default for ever.
    isDefault: !account2.vpcs.some((other) => other.region === region),
    createdAt: now
  };
  account2.vpcs.push(vpc);
  return { status: 201, body: { vpc: vpcBody(vpc) } };
}
function freeRange(account2) {
  let number = 116;
  while (account2.vpcs.some(({ ipRange }) => ipRange.startsWith(`10.${number}.`))) number++;
  return `10.${number}.0.0/20`;
}
function nextAddress(account2, from) {
  const number = from === "public" ? account2.nextAddress++ : account2.nextAddress;
  const [first, second] = from === "public" ? [198, 18] : from.ipRange.split(".");
  return `${first}.${second}.${Math.floor(number / 250)}.${number % 250 + 2}`;
}
function find3({ account: account2, params }) {
  const vpc = account2.vpcs.find(({ id }) => id === params.id);
  if (vpc === void 0) throw notFound();
  return vpc;
}
function members({ account: account2, now }, vpc) {
  return livingDroplets(account2, now).filter((droplet) => droplet.vpc === vpc.id);
}
function vpcBody(vpc) {
  return {
    id: vpc.id,
    urn: `do:vpc:${vpc.id}`,
    name: vpc.name,
    description: vpc.description,
    region: vpc.region,
    ip_range: vpc.ipRange,
    default: vpc.isDefault,
    created_at: isoTime(vpc.createdAt)
  };
}

// test/fakes/digitalocean/droplets.ts
var NAME3 = /^[a-zA-Z0-9]?[a-z0-9A-Z.-]*[a-z0-9A-Z]$/;
var MOST_NAMES = 10;
var USER_DATA_BYTES = 64 * 1024;
var dropletRoutes = [
  { method: "GET", path: "/v2/droplets", handle: list },
  { method: "POST", path: "/v2/droplets", handle: create2 },
  {
    method: "GET",
    path: "/v2/droplets/:id",
    handle: (request) => ({ status: 200, body: { droplet: dropletBody(visible(request), request) } })
  },
  { method: "DELETE", path: "/v2/droplets/:id", handle: remove2 },
  {
    method: "GET",
    path: "/v2/droplets/:id/firewalls",
    handle: (request) => {
      const droplet = visible(request);
      const guarding = request.account.firewalls.filter(
        (firewall) => firewall.appliedAt <= request.now && guardedBy(firewall, [droplet]).length > 0
      );
      return page(
        request,
        "firewalls",
        guarding.map((firewall) => firewallBody(firewall, request))
      );
    }
  },
  { method: "POST", path: "/v2/droplets/:id/actions", handle: act2 },
  { method: "GET", path: "/v2/actions/:id", handle: readAction }
];
function list(request) {
  const { query, account: account2, now } = request;
  const tag = query.get("tag_name");
  const name = query.get("name");
  if (tag !== null && (name !== null || query.get("type") !== null)) {
    throw unprocessable("tag_name can not be combined with name or type.");
  }
  const found = livingDroplets(account2, now).filter(
    (droplet) => droplet.visibleAt <= now && (tag === null || droplet.tags.some((other) => other.toLowerCase() === tag.toLowerCase())) && (name === null || droplet.name.toLowerCase() === name.toLowerCase())
  );
  return page(
    request,
    "droplets",
    found.map((droplet) => dropletBody(droplet, request))
  );
}
function create2(request) {
  const { account: account2, now, machines: machines2 } = request;
  const body = object(request.body);
  const multiple = body.names !== void 0;
  const names = multiple ? texts(body.names, "names") : [text(body.name, "name")];
  if (names.length === 0 || names.length > MOST_NAMES)
    throw unprocessable(`names must hold 1 to ${MOST_NAMES} names.`);
  for (const name of names) {
    if (!NAME3.test(name) || name.length > 255)
      throw unprocessable("Only valid hostname characters are allowed. (a-z, A-Z, 0-9, . and -)");
  }
  const size = account2.catalogue.sizes.find(({ slug }) => slug === body.size);
  if (size === void 0) throw unprocessable("You specified an invalid size for Droplet creation.");
  const region = account2.catalogue.regions.find(({ slug }) => slug === body.region);
  if (region === void 0) throw unprocessable("You specified an invalid region for Droplet creation.");
  if (!region.available || !size.available || !size.regions.includes(region.slug)) {
    throw unprocessable("Size is not available in this region.");
  }
  const image = account2.catalogue.images.find(({ id, slug }) => slug === body.image || id === body.image);
  if (image === void 0) throw unprocessable("You specified an invalid image for Droplet creation.");
  const keys = (Array.isArray(body.ssh_keys) ? body.ssh_keys : []).map((wanted) => {
    const key = account2.keys.find(
      ({ id, fingerprint }) => id === wanted || fingerprint === wanted || String(id) === wanted
    );
    if (key === void 0 || key.visibleAt > now)
      throw unprocessable(`${String(wanted)} are invalid key identifiers for Droplet creation.`);
    return key;
  });
  const userData2 = body.user_data === void 0 || body.user_data === null ? "" : text(body.user_data, "user_data");
  if (Buffer.byteLength(userData2) > USER_DATA_BYTES) throw unprocessable("User data may not exceed 64 KiB.");
  const vpc = account2.vpcs.find(
    ({ id, isDefault, region: where2 }) => body.vpc_uuid === void 0 ? isDefault && where2 === region.slug : id === body.vpc_uuid
  );
  if (vpc === void 0 || vpc.region !== region.slug)
    throw unprocessable("The VPC does not exist in this region.");
  const living = livingDroplets(account2, now).length;
  if (living + names.length > account2.dropletLimit) {
    throw unprocessable("creating this/these droplet(s) will exceed your droplet limit");
  }
  const tags2 = texts(body.tags, "tags");
  for (const tag of tags2) checkTag(account2, tag);
  const canonical = tags2.map((tag) => canonicalTag(account2, tag));
  const droplets2 = names.map((name) => {
    const id = account2.nextId++;
    const droplet = {
      ...{ id, name, userData: userData2 },
      size: size.slug,
      region: region.slug,
      image: image.id,
      tags: [...canonical],
      vpc: vpc.id,
      authorizedKeys: keys.map(({ publicKey }) => publicKey),
      features: [...body.monitoring === true ? ["monitoring"] : [], "private_networking"],
      createdAt: now,
      visibleAt: now + account2.delays.visible,
      activeAt: now + account2.delays.boot,
      addressesAt: now + Math.max(account2.delays.addresses, account2.delays.visible),
      busyUntil: now + account2.delays.boot,
      locked: false,
      power: "on",
      goneAt: Number.POSITIVE_INFINITY,
      publicAddress: nextAddress(account2, "public"),
      privateAddress: nextAddress(account2, vpc)
    };
    account2.droplets.push(droplet);
    machines2.made(droplet);
    return droplet;
  });
  const actions = droplets2.map((droplet) => ({
    id: addAction(request, droplet, "create", account2.delays.boot),
    rel: "create"
  }));
  const links2 = {
    actions: actions.map((action) => ({ ...action, href: `${request.origin}/v2/actions/${action.id}` }))
  };
  const bodies = droplets2.map((droplet) => dropletBody(droplet, request));
  return { status: 202, body: multiple ? { droplets: bodies, links: links2 } : { droplet: bodies[0], links: links2 } };
}
function remove2(request) {
  const droplet = visible(request);
  const { account: account2, now, machines: machines2 } = request;
  if (droplet.goneAt !== Number.POSITIVE_INFINITY) throw notFound();
  idle(droplet, now);
  droplet.goneAt = now + account2.delays.removal;
  machines2.removed(droplet);
  return { status: 204 };
}
function act2(request) {
  const droplet = visible(request);
  const { account: account2, now, machines: machines2 } = request;
  const body = object(request.body);
  const type = text(body.type, "type");
  idle(droplet, now);
  const { power } = account2.delays;
  switch (type) {
    case "power_on":
      if (droplet.power === "on") throw unprocessable("Droplet is already powered on.");
      droplet.power = "on";
      droplet.activeAt = now + power;
      break;
    case "power_off":
    case "shutdown":
      droplet.power = "off";
      break;
    case "reboot":
    case "power_cycle":
      break;
    case "rename": {
      const name = text(body.name, "name");
      if (!NAME3.test(name))
        throw unprocessable("Only valid hostname characters are allowed. (a-z, A-Z, 0-9, . and -)");
      droplet.name = name;
      break;
    }
    case "resize": {
      const size = account2.catalogue.sizes.find(({ slug }) => slug === body.size);
      if (size === void 0) throw unprocessable("You specified an invalid size.");
      if (droplet.power === "on") throw unprocessable("Droplet must be powered off to resize.");
      droplet.size = size.slug;
      break;
    }
    default:
      throw unprocessable(`${type} is not an action that this fake knows.`);
  }
  machines2.acted(droplet, type);
  const id = addAction(request, droplet, type, power);
  droplet.busyUntil = now + power;
  return { status: 201, body: { action: actionBody(account2, id, now) } };
}
function addAction({ account: account2, now }, droplet, type, takes) {
  const id = account2.nextId++;
  account2.actions.push({
    id,
    type,
    resourceId: droplet.id,
    region: droplet.region,
    startedAt: now,
    completedAt: now + takes
  });
  return id;
}
function readAction({ account: account2, params, now }) {
  return { status: 200, body: { action: actionBody(account2, Number(params.id), now) } };
}
function actionBody(account2, id, now) {
  const action = account2.actions.find((one) => one.id === id);
  if (action === void 0) throw notFound();
  const done = action.completedAt <= now;
  return {
    id,
    status: done ? "completed" : "in-progress",
    type: action.type,
    started_at: isoTime(action.startedAt),
    completed_at: done ? isoTime(action.completedAt) : null,
    resource_id: action.resourceId,
    resource_type: "droplet",
    region: account2.catalogue.regions.find(({ slug }) => slug === action.region),
    region_slug: action.region
  };
}
function idle(droplet, now) {
  if (droplet.busyUntil > now || now < droplet.activeAt || droplet.locked) {
    throw unprocessable("Droplet already has a pending event.");
  }
}
function visible({ account: account2, params, now }) {
  const droplet = livingDroplets(account2, now).find(({ id }) => id === Number(params.id));
  if (droplet === void 0 || droplet.visibleAt > now) throw notFound();
  return droplet;
}
function dropletBody(droplet, { account: account2, now }) {
  const size = account2.catalogue.sizes.find(({ slug }) => slug === droplet.size);
  const v4 = [
    { ip_address: droplet.privateAddress, netmask: "255.255.240.0", gateway: "10.108.0.1", type: "private" },
    { ip_address: droplet.publicAddress, netmask: "255.254.0.0", gateway: "198.18.0.1", type: "public" }
  ];
  return {
    id: droplet.id,
    name: droplet.name,
    memory: size?.memory,
    vcpus: size?.vcpus,
    disk: size?.disk,
    disk_info: [{ type: "local", size: { amount: size?.disk, unit: "gib" } }],
    locked: droplet.locked || now < Math.min(droplet.busyUntil, droplet.activeAt),
    status: dropletStatus(droplet, now),
    kernel: null,
    created_at: isoTime(droplet.createdAt),
    features: droplet.features,
    backup_ids: [],
    next_backup_window: null,
    snapshot_ids: [],
    image: account2.catalogue.images.find(({ id }) => id === droplet.image),
    volume_ids: [],
    size,
    size_slug: droplet.size,
    networks: { v4: now < droplet.addressesAt ? [] : v4, v6: [] },
    region: account2.catalogue.regions.find(({ slug }) => slug === droplet.region),
    tags: droplet.tags.map((tag) => findTag(account2, tag) ?? tag),
    vpc_uuid: droplet.vpc
  };
}

// test/fakes/digitalocean/faults.ts
function callCounter() {
  const counts = /* @__PURE__ */ new Map();
  return (method, route) => {
    const key = `${method} ${route}`;
    const occurrence = (counts.get(key) ?? 0) + 1;
    counts.set(key, occurrence);
    return { method, route, occurrence };
  };
}

// test/fakes/digitalocean/keys.ts
import { createHash as createHash3 } from "node:crypto";
var accountRoutes = [
  {
    method: "GET",
    path: "/v2/account",
    handle: ({ account: account2 }) => ({
      status: 200,
      body: {
        account: {
          droplet_limit: account2.dropletLimit,
          floating_ip_limit: 3,
          email: "someone@example.com",
          name: "Someone",
          uuid: "b6fr89dbf6d9156cace5f3c78dc9851d957381ef",
          email_verified: true,
          status: account2.status,
          status_message: "",
          team: { uuid: "5df3e3004a17e242b7c20ca6c9fc25b701a47ece", name: "My Team" }
        }
      }
    })
  },
  {
    method: "GET",
    path: "/v2/account/keys",
    handle: (request) => page(
      request,
      "ssh_keys",
      request.account.keys.filter(({ visibleAt }) => visibleAt <= request.now).map(keyBody)
    )
  },
  { method: "POST", path: "/v2/account/keys", handle: create3 },
  {
    method: "GET",
    path: "/v2/account/keys/:id",
    handle: (request) => ({ status: 200, body: { ssh_key: keyBody(find4(request)) } })
  },
  {
    method: "DELETE",
    path: "/v2/account/keys/:id",
    handle: (request) => {
      const key = find4(request);
      request.account.keys = request.account.keys.filter((one) => one !== key);
      return { status: 204 };
    }
  }
];
function create3({ account: account2, body, now }) {
  const { name, public_key: line } = object(body);
  const publicKey = text(line, "public_key").trim();
  const [type, base64] = publicKey.split(/\s+/);
  const blob = Buffer.from(base64 ?? "", "base64");
  if (!/^(ssh-(ed25519|rsa)|ecdsa-)/.test(type ?? "") || blob.length < 40) {
    throw unprocessable("Key invalid, key should be of the format `type key [comment]`");
  }
  const fingerprint = (createHash3("md5").update(blob).digest("hex").match(/../g) ?? []).join(":");
  if (account2.keys.some((key2) => key2.fingerprint === fingerprint))
    throw unprocessable("SSH Key is already in use on your account");
  const key = {
    id: account2.nextId++,
    fingerprint,
    publicKey,
    name: text(name, "name"),
    visibleAt: now + account2.delays.visible
  };
  account2.keys.push(key);
  return { status: 201, body: { ssh_key: keyBody(key) } };
}
function find4({ account: account2, params, now }) {
  const key = account2.keys.find(
    ({ id, fingerprint }) => String(id) === params.id || fingerprint === params.id
  );
  if (key === void 0 || key.visibleAt > now) throw notFound();
  return key;
}
function keyBody({ id, fingerprint, publicKey, name }) {
  return { id, fingerprint, public_key: publicKey, name };
}

// test/fakes/digitalocean/limits.ts
var API_LIMITS = { hourly: 5e3, perMinute: 250, keyLists: 10 };
var MINUTE = 6e4;
var HOUR = 60 * MINUTE;
function createLimiter(limits) {
  let calls = [];
  let keyLists = [];
  return (now, isKeyList) => {
    calls = calls.filter((at) => at > now - HOUR);
    keyLists = keyLists.filter((at) => at > now - MINUTE);
    const lastMinute = calls.filter((at) => at > now - MINUTE);
    const burst = lastMinute.length >= limits.perMinute ? lastMinute[0] : void 0;
    const keys = isKeyList && keyLists.length >= limits.keyLists ? keyLists[0] : void 0;
    const hourly = calls.length >= limits.hourly;
    const oldest = calls[0] ?? now;
    const waitFor = burst ?? keys;
    const allowed = waitFor === void 0 && !hourly;
    if (allowed) {
      calls.push(now);
      if (isKeyList) keyLists.push(now);
    }
    const remaining = allowed ? limits.hourly - calls.length : 0;
    return {
      allowed,
      headers: {
        "ratelimit-limit": String(limits.hourly),
        "ratelimit-remaining": String(remaining),
        "ratelimit-reset": String(Math.ceil((oldest + HOUR) / 1e3)),
        ...waitFor === void 0 ? {} : { "retry-after": String(Math.max(1, Math.ceil((waitFor + MINUTE - now) / 1e3))) }
      }
    };
  };
}

// test/fakes/digitalocean/machines.ts
import { parse } from "yaml";
function simulatedMachines() {
  const hosts = /* @__PURE__ */ new Map();
  const stored = (droplet) => {
    const known = hosts.get(droplet.id);
    if (known !== void 0) return known;
    const host = {
      shown: injectedHostKey(droplet) ?? generateEd25519().publicKey,
      offered: void 0,
      adopted: void 0
    };
    hosts.set(droplet.id, host);
    return host;
  };
  return {
    made: stored,
    removed: ({ id }) => hosts.delete(id),
    acted: () => {
    },
    hostKey: (id) => hosts.get(id)?.shown,
    run(droplet, command2, now) {
      const host = stored(droplet);
      if (droplet.power === "off" || now < droplet.activeAt) return { failed: "refused" };
      if (!command2.hostKeys.includes(host.shown)) return { failed: "host-key-changed" };
      const trusted = droplet.authorizedKeys.some((line) => line.startsWith(command2.publicKey));
      if (!trusted) return { failed: "permission" };
      return { exitCode: 0, stdout: execute(host, command2.label) };
    }
  };
}
function execute(host, label) {
  switch (label) {
    case "sign in":
    case "wait for cloud-init":
      return "";
    case "make a host key":
      if (host.adopted !== host.shown) host.offered ??= generateEd25519().publicKey;
      return `${host.offered ?? host.shown}
`;
    case "exchange the host key":
      if (host.offered !== void 0) {
        host.adopted = host.offered;
        host.shown = host.offered;
        host.offered = void 0;
      }
      return "";
    default:
      throw new Error(`the simulated host does not know "${label}"`);
  }
}
function injectedHostKey({ userData: userData2 }) {
  const privateKey = injectedPrivateKey(userData2);
  return privateKey === void 0 ? void 0 : publicKeyOf(privateKey);
}
function injectedPrivateKey(userData2) {
  if (!userData2.startsWith("#cloud-config\n")) return void 0;
  const config = parse(userData2);
  return config?.ssh_keys?.ed25519_private;
}

// test/fakes/digitalocean/server.ts
var ROUTES = [
  ...accountRoutes,
  ...catalogueRoutes,
  ...tagRoutes,
  ...vpcRoutes,
  ...firewallRoutes,
  ...dropletRoutes
];
var SSH_PATH = "/fake/ssh";
var FAKE_TOKEN = "dop_v1_fake";
async function startFake(options = {}) {
  const account2 = options.account ?? fakeAccount();
  const tokens = options.tokens ?? { [FAKE_TOKEN]: "write" };
  const machines2 = options.machines ?? simulatedMachines();
  const limit = createLimiter(options.limits ?? API_LIMITS);
  const began = { wall: Date.now(), monotonic: performance.now() };
  const speed2 = options.speed ?? 1;
  const now = () => began.wall + (performance.now() - began.monotonic) * speed2;
  let plan;
  let count2 = callCounter();
  let calls = [];
  let listener;
  let url = "";
  function carryOut(request, target3, body, found) {
    const { method = "GET" } = request;
    const scope = tokens[/^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1] ?? ""];
    if (scope === void 0)
      return { status: 401, body: { id: "Unauthorized", message: "Unable to authenticate you" } };
    if (scope === "read" && method !== "GET") {
      return {
        status: 403,
        body: { id: "Forbidden", message: "You are not authorized to perform this operation" }
      };
    }
    try {
      if (found === void 0)
        throw new Refused(404, "not_found", "The resource you were accessing could not be found.");
      const json = body === "" ? void 0 : parseBody(body);
      return found.route.handle({
        ...{ method, account: account2, machines: machines2 },
        path: target3.pathname,
        query: target3.searchParams,
        body: json,
        params: found.params,
        now: now(),
        origin: url
      });
    } catch (error) {
      if (error instanceof Refused) return error.answer;
      throw error;
    }
  }
  async function handle(request, response) {
    const { method = "GET" } = request;
    const target3 = new URL(request.url ?? "/", url);
    const body = await readBody(request);
    const own = options.control?.answer(method, target3.pathname, body);
    if (own !== void 0) return answer(response, own, {});
    const ssh = target3.pathname === SSH_PATH;
    const found = ssh ? void 0 : findRoute(method, target3.pathname);
    const command2 = ssh ? JSON.parse(body) : void 0;
    const call = command2 === void 0 ? count2(method, found?.route.path ?? target3.pathname) : count2("SSH", command2.label);
    calls.push(call);
    const fault = plan?.(call);
    const { latency, ssh: signIn2 } = account2.delays;
    const takes = command2 === void 0 ? latency : command2.label === "sign in" ? signIn2 : signIn2 / 3;
    await pause2(takes * (0.8 + Math.random() * 0.4) / speed2);
    if (command2 !== void 0) {
      const effect2 = fault === void 0 || "effect" in fault && fault.effect;
      const result2 = effect2 ? signIn2(command2) : void 0;
      if (fault !== void 0) return misbehave(response, fault, { status: 200, body: result2 }, {});
      return answer(response, { status: 200, body: result2 }, {});
    }
    const verdict = limit(now(), method === "GET" && target3.pathname === "/v2/account/keys");
    const headers = { ...verdict.headers, date: new Date(now()).toUTCString(), "x-request-id": randomUUID4() };
    if (!verdict.allowed) {
      return answer(
        response,
        { status: 429, body: { id: "too_many_requests", message: "API Rate limit exceeded." } },
        headers
      );
    }
    if (fault?.kind === "late") {
      setTimeout(() => carryOut(request, target3, body, found), fault.afterMs / speed2);
      return;
    }
    const effect = fault === void 0 || !("effect" in fault) || fault.effect;
    const result = effect ? carryOut(request, target3, body, found) : { status: 500 };
    if (fault !== void 0) return misbehave(response, fault, result, headers);
    listener?.({
      ...{ call, url: `${target3.pathname}${target3.search}` },
      requestBody: body === "" ? void 0 : JSON.parse(body),
      status: result.status,
      responseBody: result.body
    });
    answer(response, result, headers);
  }
  function signIn(command2) {
    const at = now();
    const droplet = account2.droplets.find(
      ({ publicAddress, goneAt }) => publicAddress === command2.address && goneAt > at
    );
    return droplet === void 0 || !("run" in machines2) ? { failed: "refused" } : machines2.run(droplet, command2, at);
  }
  const server = createServer((request, response) => {
    handle(request, response).catch((error) => {
      response.destroy(error instanceof Error ? error : void 0);
      queueMicrotask(() => {
        throw error;
      });
    });
  });
  server.keepAliveTimeout = 6e4;
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  url = `http://127.0.0.1:${server.address().port}`;
  return {
    ...{ url, account: account2, machines: machines2, now },
    fail(next) {
      plan = next;
      count2 = callCounter();
      calls = [];
    },
    calls: () => calls,
    onExchange(next) {
      listener = next;
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  };
}
function findRoute(method, path) {
  const parts = path.split("/");
  for (const route of ROUTES) {
    const wanted = route.path.split("/");
    if (route.method !== method || wanted.length !== parts.length) continue;
    if (!wanted.every((part2, index) => part2.startsWith(":") || part2 === parts[index])) continue;
    const named = wanted.flatMap(
      (part2, index) => part2.startsWith(":") ? [[part2.slice(1), decodeURIComponent(parts[index] ?? "")]] : []
    );
    return { route, params: Object.fromEntries(named) };
  }
  return void 0;
}
function answer(response, { status, body }, headers) {
  response.writeHead(status, {
    ...headers,
    ...body === void 0 ? {} : { "content-type": "application/json" }
  });
  response.end(body === void 0 ? void 0 : JSON.stringify(body));
}
function misbehave(response, fault, result, headers) {
  switch (fault.kind) {
    case "hang":
    case "late":
      return;
    case "reset":
      response.socket?.resetAndDestroy();
      return;
    case "call":
      fault.act();
      response.socket?.resetAndDestroy();
      return;
    case "status": {
      const body = { id: "server_error", message: "Unexpected server-side error", request_id: randomUUID4() };
      answer(response, { status: fault.status, body }, { ...headers, ...fault.headers });
      return;
    }
    case "truncated": {
      const text2 = JSON.stringify(result.body ?? {});
      response.writeHead(result.status, {
        ...headers,
        "content-type": "application/json",
        "content-length": String(text2.length)
      });
      response.write(text2.slice(0, Math.ceil(text2.length / 2)), () => response.socket?.destroy());
      return;
    }
    case "malformed":
      response.writeHead(200, { ...headers, "content-type": "text/html" });
      response.end(fault.body);
  }
}
function parseBody(body) {
  try {
    return JSON.parse(body);
  } catch {
    throw new Refused(400, "bad_request", "There was a problem parsing the request body.");
  }
}
async function readBody(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}
function pause2(ms) {
  return ms <= 0 ? void 0 : new Promise((resolve) => setTimeout(resolve, ms));
}

// test/fakes/digitalocean/simulated-ssh.ts
import { readFile as readFile3 } from "node:fs/promises";
var MESSAGES = {
  refused: "ssh: connect to host port 22: Connection refused",
  permission: "Permission denied (publickey).",
  "host-key-changed": "@@@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @@@\nHost key verification failed."
};
function simulatedConnect(url) {
  return (target3) => {
    const check = async (_script, { label }) => {
      const [known, identity] = await Promise.all([
        readFile3(target3.knownHostsFile ?? "", "utf8"),
        readFile3(target3.identityFile ?? "", "utf8")
      ]);
      const hostKeys = known.split("\n").flatMap((line) => {
        const [address, ...key] = line.split(" ");
        return address === target3.address ? [key.join(" ")] : [];
      });
      const command2 = {
        address: target3.address,
        hostKeys,
        publicKey: publicKeyOf(identity) ?? "",
        label
      };
      const result = await send(url, command2);
      if (result === void 0)
        throw connectionFailure(target3, {
          stderr: "Connection reset by peer",
          exitCode: 255,
          connected: true,
          step: label
        });
      if ("failed" in result)
        throw connectionFailure(target3, {
          stderr: MESSAGES[result.failed],
          exitCode: 255,
          connected: false,
          step: label
        });
      return result;
    };
    return {
      target: target3,
      script: async (text2, options) => ({ ...await check(text2, options), stderr: "" }),
      check: async (text2, options) => (await check(text2, options)).stdout,
      upload: () => Promise.reject(new Error("the simulated host takes no files")),
      sshArguments: () => [],
      close: () => Promise.resolve()
    };
  };
}
async function send(url, command2) {
  const response = await fetch(`${url}/fake/ssh`, { method: "POST", body: JSON.stringify(command2) }).catch(
    () => void 0
  );
  return response === void 0 ? void 0 : await response.json();
}

// bench/doshow/main.ts
var GOAL = 1.3;
var { values } = parseArgs({
  options: {
    droplets: { type: "string", default: "50" },
    boot: { type: "string", default: "30" },
    speed: { type: "string", default: "2" }
  }
});
var [droplets, boot, speed] = [Number(values.droplets), Number(values.boot), Number(values.speed)];
var directory = mkdtempSync2(join4(tmpdir2(), "pipeline-bench-do-"));
var account = fakeAccount({ dropletLimit: droplets, delays: { ...REALISTIC_DELAYS, boot: boot * 1e3 } });
var fake = await startFake({ account, speed });
var clock = fastClock(speed);
var limited = 0;
var limitedSince;
var progress = ({ stage, state }) => {
  if (stage !== "API rate limit") return;
  if (state === "running") limitedSince ??= clock.now();
  else if (limitedSince !== void 0) {
    limited += clock.now() - limitedSince;
    limitedSince = void 0;
  }
};
var spec = {
  ...{ project: "bench", environment: "prod", owner: "bench", directory },
  machines: Array.from({ length: droplets }, (_, index) => machineSpec(`web-${index + 1}`)),
  operators: ["203.0.113.7/32"],
  authorizedKeys: []
};
var provider = () => createDigitalOceanProvider(quietContext({ env: {}, progress }), spec, {
  ...{ token: FAKE_TOKEN, apiUrl: fake.url, clock },
  connect: simulatedConnect(fake.url)
});
async function timed(title, work) {
  fake.fail(void 0);
  limited = 0;
  const begun = clock.now();
  await work();
  if (process.env.SHOW) {
    const m = {};
    for (const c of fake.calls()) {
      const k = c.method + " " + c.route;
      m[k] = (m[k] ?? 0) + 1;
    }
    console.log(m);
  }
  const took = (clock.now() - begun) / 1e3;
  const calls = fake.calls().filter(({ method }) => method !== "SSH");
  const writes = calls.filter(({ method }) => method !== "GET");
  const commands = fake.calls().length - calls.length;
  console.log(
    `${title.padEnd(18)} ${took.toFixed(1).padStart(6)} s   ${String(calls.length).padStart(4)} API calls (${writes.length} writes)   ${commands} remote commands   ${(limited / 1e3).toFixed(1)} s of it waiting for the rate limit`
  );
  return took - limited / 1e3;
}
try {
  console.log(
    `${droplets} droplets, ${boot} s to boot each, ${REALISTIC_DELAYS.latency} ms a call; clocks ${speed} times faster
`
  );
  const up = await timed("from nothing", async () => provider().apply(await provider().plan()));
  await timed("nothing to do", async () => provider().apply(await provider().plan()));
  await timed("destroy", () => provider().destroy());
  const ratio = up / boot;
  console.log(`
from nothing \xF7 boot = ${ratio.toFixed(2)} (goal: at most ${GOAL}, rate limit apart)`);
  if (ratio > GOAL) process.exitCode = 1;
} finally {
  await fake.stop();
  await rm5(directory, { recursive: true, force: true });
}
