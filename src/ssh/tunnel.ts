/**
 * A port of a host's loopback address on this machine's own: every connection goes through the host's SSH
 * connection.
 */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { endGroup, startProcess } from '../process/child.ts';

/** The ssh client that carries one connection: its standard input and output are the connection. */
export interface TunnelClient {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Runs `work` with a port on 127.0.0.1 that leads to the host, and closes it whatever happens.
 * @param clientFor called for each connection
 * @throws what `clientFor` threw first, else what `work` throws
 */
export async function throughTunnel<T>(
  clientFor: () => Promise<TunnelClient>,
  work: (port: number) => Promise<T>,
): Promise<T> {
  const sockets = new Set<Socket>();
  let failure: { readonly error: unknown } | undefined;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => sockets.delete(socket));
    carry(socket, clientFor).catch((error: unknown) => {
      failure ??= { error };
      socket.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await work(portOf(server));
  } catch (error) {
    // Whoever came through the tunnel saw a closed connection; why is known here.
    throw failure === undefined ? error : failure.error;
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

async function carry(socket: Socket, clientFor: () => Promise<TunnelClient>): Promise<void> {
  const { program, args, env } = await clientFor();
  const client = await startProcess(program, args, { env, stdio: ['pipe', 'pipe', 'ignore'] });
  const { stdin, stdout } = client;
  if (stdin === null || stdout === null) throw new RangeError('the client has pipes');
  const leave = () => socket.destroy();
  client.once('error', leave).once('close', leave);
  stdin.on('error', leave);
  const end = () => {
    endGroup(client).catch(leave);
  };
  socket.once('close', end);
  if (socket.destroyed) end();
  socket.pipe(stdin);
  stdout.pipe(socket);
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new RangeError('the server has a port');
  return address.port;
}
