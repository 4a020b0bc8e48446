/**
 * MongoDB and what speaks its protocol (FerretDB): whether it answers, and for a user that may ask,
 * connections and size. Protocol: OP_MSG,
 * https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/; sign-in: SCRAM-SHA-256, RFC 7677.
 */
import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto';
import { type BsonInput, decodeBson, encodeBson, int32 } from './bson.ts';
import { Conversation, type StoreAddress } from './conversation.ts';
import type { StoreStatus } from './status.ts';

const OP_MSG = 2013;

/**
 * Where no user is given, the server is asked all the same: some ask for no sign-in.
 * @throws Error in words
 */
export function readMongodb(store: StoreAddress, withSize: boolean): Promise<StoreStatus> {
  return Conversation.with(store.address, async (conversation) => {
    await command(conversation, 'admin', { ping: 1 });
    if (store.user !== undefined) await signIn(conversation, store.user, store.password ?? '');
    try {
      const status = await command(conversation, 'admin', { serverStatus: 1 });
      const databases = withSize ? await command(conversation, 'admin', { listDatabases: 1 }) : undefined;
      const connections = status.get('connections');
      return {
        connections: connections instanceof Map ? numberOrNull(connections.get('current')) : null,
        size: numberOrNull(databases?.get('totalSize')),
        error: '',
      };
    } catch (error) {
      return {
        connections: null,
        size: null,
        error: `connections and size unknown: ${(error as Error).message}`,
      };
    }
  });
}

function numberOrNull(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

/** Runs a command; its answer. @throws Error with the server's message */
async function command(
  conversation: Conversation,
  database: string,
  body: BsonInput,
): Promise<Map<string, unknown>> {
  const document = encodeBson({ ...body, $db: database });
  const length = 16 + 4 + 1 + document.length;
  const head = Buffer.concat([int32(length), int32(1), int32(0), int32(OP_MSG), int32(0), Buffer.from([0])]);
  conversation.write(Buffer.concat([head, document]));
  const size = (await conversation.read(4)).readInt32LE();
  const rest = await conversation.read(Math.max(0, size - 4));
  if (rest.length < 22 || rest.readInt32LE(8) !== OP_MSG)
    throw new Error("it does not speak MongoDB's protocol");
  const answer = decodeBson(rest, 17);
  if (answer.get('ok') !== 1) throw new Error(String(answer.get('errmsg') ?? 'it answered with an error'));
  return answer;
}

async function signIn(conversation: Conversation, user: string, password: string): Promise<void> {
  const nonce = randomBytes(18).toString('base64');
  const first = `n=${user.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${nonce}`;
  const start = { saslStart: 1, mechanism: 'SCRAM-SHA-256', payload: Buffer.from(`n,,${first}`) };
  const challenge = await command(conversation, 'admin', { ...start, options: { skipEmptyExchange: true } });
  const proof = scramProof(password, nonce, first, payloadOf(challenge));
  const conversationId = Number(challenge.get('conversationId') ?? 1);
  const answer = await command(conversation, 'admin', {
    saslContinue: 1,
    conversationId,
    payload: Buffer.from(proof.message),
  });
  const signature = Buffer.from(/v=([^,]+)/.exec(payloadOf(answer))?.[1] ?? '', 'base64');
  if (signature.length !== proof.signature.length || !timingSafeEqual(signature, proof.signature)) {
    throw new Error(
      'it does not know the password that it should check: another server answers at this address',
    );
  }
  if (answer.get('done') === false) {
    await command(conversation, 'admin', { saslContinue: 1, conversationId, payload: Buffer.alloc(0) });
  }
}

function payloadOf(answer: ReadonlyMap<string, unknown>): string {
  const payload = answer.get('payload');
  return payload instanceof Uint8Array ? Buffer.from(payload).toString('utf8') : '';
}

/**
 * The client's last message and the signature that the server must answer with. Source: RFC 5802, section 3.
 */
export function scramProof(
  password: string,
  nonce: string,
  first: string,
  challenge: string,
): { message: string; signature: Buffer } {
  const attributes = new Map(
    challenge.split(',').map((part): [string, string] => [part.slice(0, 1), part.slice(2)]),
  );
  const [serverNonce = '', salt = '', rounds = Number.NaN] = [
    attributes.get('r'),
    attributes.get('s'),
    Number(attributes.get('i')),
  ];
  // A server that asks for few rounds, or another nonce, is after the password.
  if (!serverNonce.startsWith(nonce) || !(rounds >= 4096 && rounds <= 1e6))
    throw new Error('its challenge is not valid');
  const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
  const salted = pbkdf2Sync(password.normalize('NFKC'), Buffer.from(salt, 'base64'), rounds, 32, 'sha256');
  const clientKey = hmac(salted, 'Client Key');
  const withoutProof = `c=biws,r=${serverNonce}`;
  const messages = `${first},${challenge},${withoutProof}`;
  const mask = hmac(createHash('sha256').update(clientKey).digest(), messages);
  const proof = Buffer.from(clientKey.map((byte, i) => byte ^ (mask[i] ?? 0)));
  return {
    message: `${withoutProof},p=${proof.toString('base64')}`,
    signature: hmac(hmac(salted, 'Server Key'), messages),
  };
}
