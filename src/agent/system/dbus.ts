/**
 * The least of a D-Bus client: method calls and signals over the system bus. Asking systemd this way costs a
 * hundredth of starting `systemctl`, and its signals make asking unnecessary. Protocol:
 * https://dbus.freedesktop.org/doc/dbus-specification.html
 */

import { connect, type Socket } from 'node:net';
import { duration } from '../../format.ts';
import { type Call, decodeMessage, encodeCall, type Message } from './dbus-message.ts';

export const SYSTEM_BUS = '/run/dbus/system_bus_socket';
/** systemd's own socket, for root alone, where no bus runs. */
export const SYSTEMD_PRIVATE = '/run/systemd/private';

const TIMEOUT_MS = 5000;

interface Waiting {
  readonly resolve: (body: readonly unknown[]) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

export class Bus {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiting>();
  #received: Buffer = Buffer.alloc(0);
  #serial = 0;
  #ended: Error | undefined;
  /** Called for every signal that was asked for by AddMatch. */
  onSignal: (signal: Message) => void = () => {};
  /** Called once when the bus has gone. */
  onEnd: (error: Error) => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (data) => this.#onData(data));
    socket.on('error', (error) => this.#end(error));
    socket.on('close', () => this.#end(new Error('the bus closed the connection')));
  }

  /** Connects as the user that this process runs as. @throws the socket's error, or the bus's refusal */
  static async open(path = SYSTEM_BUS): Promise<Bus> {
    const bus = new Bus(await authenticate(path));
    if (path !== SYSTEMD_PRIVATE) {
      const dbus = 'org.freedesktop.DBus';
      await bus.call({ destination: dbus, path: '/org/freedesktop/DBus', interface: dbus, member: 'Hello' });
    }
    return bus;
  }

  /** Calls a method. @returns what it returned. @throws Error with D-Bus's name and message of the error */
  call(call: Call): Promise<readonly unknown[]> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) return reject(this.#ended);
      const serial = ++this.#serial;
      const timer = setTimeout(() => {
        this.#waiting.delete(serial);
        reject(new Error(`${call.member} was not answered within ${duration(TIMEOUT_MS)}`));
      }, TIMEOUT_MS);
      this.#waiting.set(serial, { resolve, reject, timer });
      this.#socket.write(encodeCall(serial, call));
    });
  }

  close(): void {
    this.onEnd = () => {};
    this.#end(new Error('closed by us'));
  }

  #end(error: Error): void {
    if (this.#ended !== undefined) return;
    this.#ended = error;
    this.#socket.destroy();
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(error);
    }
    this.#waiting.clear();
    this.onEnd(error);
  }

  #onData(data: Buffer): void {
    this.#received = this.#received.length === 0 ? data : Buffer.concat([this.#received, data]);
    try {
      for (;;) {
        const decoded = decodeMessage(this.#received);
        if (decoded === undefined) return;
        this.#received = this.#received.subarray(decoded.length);
        this.#onMessage(decoded.message);
      }
    } catch (error) {
      this.#end(error as Error);
    }
  }

  #onMessage(message: Message): void {
    if (message.type === 'signal') this.onSignal(message);
    const waiting = this.#waiting.get(message.replySerial ?? -1);
    if (waiting === undefined) return;
    this.#waiting.delete(message.replySerial ?? -1);
    clearTimeout(waiting.timer);
    if (message.type === 'error')
      waiting.reject(new Error(`${message.errorName}: ${message.body()[0] ?? ''}`));
    else waiting.resolve(message.body());
  }
}

/** The kernel tells the bus who connects; the handshake only has to repeat the number of the user. */
function authenticate(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error(`${path} did not answer`)));
    socket.once('error', reject);
    socket.once('connect', () => {
      const user = Buffer.from(String(process.getuid?.() ?? 0)).toString('hex');
      socket.write(`\0AUTH EXTERNAL ${user}\r\n`);
    });
    socket.once('data', (answer) => {
      if (!answer.toString('latin1').startsWith('OK ')) {
        socket.destroy(new Error(`${path} refused the connection`));
        return;
      }
      socket.removeAllListeners();
      socket.setTimeout(0);
      socket.write('BEGIN\r\n');
      resolve(socket);
    });
  });
}
