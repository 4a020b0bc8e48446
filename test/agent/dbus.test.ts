import { describe, expect, it } from 'vitest';
import { isShown } from '../../src/agent/collectors/units.ts';
import { decodeMessage, encodeCall, splitSignature } from '../../src/agent/system/dbus-message.ts';

/**
 * What dbus-daemon 1.14 sent: the signal after Hello, the answer to `Get` of the property Features, the
 * answer to an unknown method.
 */
const SIGNAL = Buffer.from(
  '6c04010109000000020000008d00000001016f00150000002f6f72672f667265656465736b746f702f44427573000000' +
    '02017300140000006f72672e667265656465736b746f702e4442757300000000030173000c0000004e616d6541637175' +
    '697265640000000006017300040000003a312e3000000000080167000173000007017300140000006f72672e66726565' +
    '6465736b746f702e4442757300000000040000003a312e3000',
  'hex',
);
const REPLY = Buffer.from(
  '6c0201013c000000030000003d00000006017300040000003a312e300000000005017500020000000801670001760000' +
    '07017300140000006f72672e667265656465736b746f702e444275730000000002617300340000001a00000041637469' +
    '76617461626c6553657276696365734368616e67656400000f00000048656164657246696c746572696e6700',
  'hex',
);
const ERROR = Buffer.from(
  '6c0301013a000000040000007500000006017300040000003a312e300000000004017300280000006f72672e66726565' +
    '6465736b746f702e444275732e4572726f722e556e6b6e6f776e4d6574686f6400000000000000000501750003000000' +
    '080167000173000007017300140000006f72672e667265656465736b746f702e4442757300000000350000006f72672e' +
    '667265656465736b746f702e4442757320646f6573206e6f7420756e6465727374616e64206d657373616765204e6f70' +
    '6500',
  'hex',
);

describe('D-Bus messages', () => {
  it('are split by their signature', () => {
    expect(splitSignature('sa{sv}a(ssssssouso)uaas')).toEqual(['s', 'a{sv}', 'a(ssssssouso)', 'u', 'aas']);
    expect(() => splitSignature('a(s')).toThrow(/not closed/);
  });

  it('of the bus are read', () => {
    const messages = [];
    for (let rest = Buffer.concat([SIGNAL, REPLY, ERROR]); rest.length > 0; ) {
      const decoded = decodeMessage(rest);
      if (decoded === undefined) throw new Error('a message is missing');
      messages.push({ ...decoded.message, body: decoded.message.body() });
      rest = rest.subarray(decoded.length);
    }
    expect(messages).toMatchObject([
      { type: 'signal', member: 'NameAcquired', path: '/org/freedesktop/DBus', body: [':1.0'] },
      { type: 'return', replySerial: 2, body: [['ActivatableServicesChanged', 'HeaderFiltering']] },
      { type: 'error', replySerial: 3, errorName: 'org.freedesktop.DBus.Error.UnknownMethod' },
    ]);
  });

  it('are waited for until they are whole, wherever they are cut', () => {
    for (let length = 0; length < REPLY.length; length++)
      expect(decodeMessage(REPLY.subarray(0, length))).toBeUndefined();
  });

  it('of ours are read by the same rules', () => {
    const call = {
      destination: 'org.freedesktop.systemd1',
      path: '/org/freedesktop/systemd1',
      interface: 'org.freedesktop.systemd1.Manager',
      member: 'ListUnitsByPatterns',
      signature: 'asas',
      args: [['failed'], ['nginx.service', 'app@*.service']],
    };
    const bytes = encodeCall(9, call);
    const decoded = decodeMessage(bytes);
    expect(decoded?.length).toBe(bytes.length);
    const { path, interface: name, member } = decoded?.message ?? {};
    expect({ path, name, member }).toEqual({ path: call.path, name: call.interface, member: call.member });
    expect(decoded?.message.body()).toEqual(call.args);
  });

  it.each([
    ['big-endian', Buffer.concat([Buffer.from('B'), REPLY.subarray(1)]), /big-endian/],
    [
      'of 4 GB',
      Buffer.concat([REPLY.subarray(0, 4), Buffer.from('ffffff7f', 'hex'), REPLY.subarray(8)]),
      /bytes/,
    ],
  ])('that are %s are refused', (_, bytes, reason) => {
    expect(() => decodeMessage(bytes)).toThrow(reason);
  });
});

describe('a unit is worth a row', () => {
  it.each([
    ['active', 'running', true],
    ['activating', 'auto-restart', true],
    ['failed', 'failed', true],
    ['active', 'exited', false],
    ['inactive', 'dead', false],
  ])('%s (%s): %s', (state, sub, expected) => {
    expect(isShown({ state, sub })).toBe(expected);
  });
});
