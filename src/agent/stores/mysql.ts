/**
 * MariaDB and MySQL: connections and size, over the client protocol, signing in by Unix socket (no password
 * at all) or by mysql_native_password. Protocol: https://mariadb.com/kb/en/clientserver-protocol/
 */
import { createHash } from 'node:crypto';
import { Conversation, type StoreAddress } from './conversation.ts';
import type { StoreStatus } from './status.ts';

/** Long password, protocol 4.1, secure connection, plugin authentication. */
const CAPABILITIES = 0x1 | 0x200 | 0x8000 | 0x80000;
const MAX_PACKET = 0xffffff;
const UTF8MB4 = 45;
const [COM_QUIT, COM_QUERY] = [0x01, 0x03];
const [OK, ERR, EOF] = [0x00, 0xff, 0xfe];

/** What the server says first. */
export interface Greeting {
  readonly version: string;
  /** 20 bytes by which the password is scrambled. */
  readonly challenge: Buffer;
}

/** Reads the initial handshake packet, version 10. @throws Error where it is an error or another protocol */
export function parseGreeting(packet: Buffer): Greeting {
  if (packet[0] === ERR) throw new Error(parseError(packet));
  if (packet[0] !== 10) throw new Error('it does not speak the MySQL protocol');
  const zero = packet.indexOf(0, 1);
  const first = zero + 1 + 4;
  // 8 bytes, a zero, capabilities (2), character set (1), status (2), capabilities (2), length (1), reserved
  // (10), 12 bytes.
  const second = first + 8 + 1 + 18;
  const challenge = Buffer.concat([packet.subarray(first, first + 8), packet.subarray(second, second + 12)]);
  return { version: packet.toString('latin1', 1, zero), challenge };
}

/** SHA1(password) XOR SHA1(challenge + SHA1(SHA1(password))); nothing for no password. */
export function scramble(password: string, challenge: Buffer): Buffer {
  if (password === '') return Buffer.alloc(0);
  const sha1 = (...parts: readonly (Buffer | string)[]): Buffer => {
    const hash = createHash('sha1');
    for (const part of parts) hash.update(part);
    return hash.digest();
  };
  const once = sha1(password);
  const mask = sha1(challenge, sha1(once));
  return Buffer.from(once.map((byte, i) => byte ^ (mask[i] ?? 0)));
}

/** The message of an error packet, e.g. `Access denied for user …`. */
export function parseError(packet: Buffer): string {
  const start = packet[3] === 0x23 ? 9 : 3; // `#` and five characters of SQL state
  return packet.toString('utf8', start);
}

/** Connections and size. Size needs the privilege PROCESS; without it, it is null. @throws Error in words */
export function readMysql(store: StoreAddress, withSize: boolean): Promise<StoreStatus> {
  return Conversation.with(store.address, async (conversation) => {
    await signIn(conversation, store);
    const [status] = await query(conversation, "SHOW GLOBAL STATUS LIKE 'Threads_connected'");
    const size = withSize ? await readSize(conversation) : { size: null, error: '' };
    conversation.write(frame(0, Buffer.from([COM_QUIT])));
    return { connections: Number(status?.[1] ?? Number.NaN), ...size };
  });
}

async function readSize(conversation: Conversation): Promise<Pick<StoreStatus, 'size' | 'error'>> {
  let error = '';
  // MariaDB's name, then MySQL's.
  for (const table of ['INNODB_SYS_TABLESPACES', 'INNODB_TABLESPACES']) {
    try {
      const [row] = await query(conversation, `SELECT SUM(FILE_SIZE) FROM information_schema.${table}`);
      return { size: Number(row?.[0] ?? 0), error: '' };
    } catch (thrown) {
      error ||= `size unknown: ${(thrown as Error).message}`;
    }
  }
  return { size: null, error };
}

async function signIn(conversation: Conversation, store: StoreAddress): Promise<void> {
  const greeting = parseGreeting((await readPacket(conversation)).body);
  const answer = scramble(store.password ?? '', greeting.challenge);
  const head = Buffer.alloc(32);
  head.writeUInt32LE(CAPABILITIES, 0);
  head.writeUInt32LE(MAX_PACKET, 4);
  head[8] = UTF8MB4;
  const user = Buffer.from(`${store.user ?? ''}\0`);
  const body = Buffer.concat([
    head,
    user,
    Buffer.from([answer.length]),
    answer,
    Buffer.from('mysql_native_password\0'),
  ]);
  conversation.write(frame(1, body));
  let reply = await readPacket(conversation);
  if (reply.body[0] === EOF) {
    const zero = reply.body.indexOf(0, 1);
    const plugin = reply.body.toString('latin1', 1, zero);
    if (plugin !== 'mysql_native_password') {
      throw new Error(
        `user ${store.user} signs in by ${plugin}: let it sign in by unix_socket or mysql_native_password`,
      );
    }
    conversation.write(
      frame(reply.sequence + 1, scramble(store.password ?? '', reply.body.subarray(zero + 1, zero + 21))),
    );
    reply = await readPacket(conversation);
  }
  if (reply.body[0] !== OK) throw new Error(parseError(reply.body));
}

/** Rows of a query, as text. @throws Error with the server's message */
async function query(conversation: Conversation, sql: string): Promise<(string | null)[][]> {
  conversation.write(frame(0, Buffer.concat([Buffer.from([COM_QUERY]), Buffer.from(sql)])));
  const first = (await readPacket(conversation)).body;
  if (first[0] === ERR) throw new Error(parseError(first));
  // Definitions, and their end.
  for (let columns = first[0] ?? 0; columns >= 0; columns--) await readPacket(conversation);
  const rows: (string | null)[][] = [];
  for (;;) {
    const { body } = await readPacket(conversation);
    if (body[0] === ERR) throw new Error(parseError(body));
    if (body[0] === EOF && body.length < 9) return rows;
    rows.push(parseRow(body));
  }
}

/** Length-encoded strings; 0xfb is NULL. */
export function parseRow(packet: Buffer): (string | null)[] {
  const cells: (string | null)[] = [];
  for (let offset = 0; offset < packet.length; ) {
    const first = packet[offset++] ?? 0;
    if (first === 0xfb) {
      cells.push(null);
      continue;
    }
    const width = first === 0xfc ? 2 : first === 0xfd ? 3 : first === 0xfe ? 6 : 0;
    const length = width === 0 ? first : packet.readUIntLE(offset, width);
    offset += first === 0xfe ? 8 : width;
    cells.push(packet.toString('utf8', offset, offset + length));
    offset += length;
  }
  return cells;
}

function frame(sequence: number, body: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUIntLE(body.length, 0, 3);
  head[3] = sequence;
  return Buffer.concat([head, body]);
}

async function readPacket(conversation: Conversation): Promise<{ sequence: number; body: Buffer }> {
  const head = await conversation.read(4);
  return { sequence: head[3] ?? 0, body: await conversation.read(head.readUIntLE(0, 3)) };
}
