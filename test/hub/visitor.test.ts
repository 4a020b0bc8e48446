import { describe, expect, it } from 'vitest';
import { visitors } from '../../src/hub/access/visitor.ts';

const headers: Readonly<Record<string, string>> = {
  host: '10.0.0.2',
  'x-forwarded-for': '6.6.6.6, 203.0.113.9, 10.0.0.8',
  'x-forwarded-host': 'monitor.example',
  'x-forwarded-proto': 'https',
};
const asked = (remote: string) => ({ remote, header: (name: string) => headers[name] });

describe('who asks the dashboard', () => {
  it('is who connects, whatever is claimed, where no proxy is trusted', () => {
    expect(visitors([])(asked('198.51.100.7'))).toEqual({
      address: '198.51.100.7',
      host: '10.0.0.2',
      secure: false,
    });
    expect(visitors(['10.0.0.0/24'])(asked('198.51.100.7')).address).toBe('198.51.100.7');
  });

  it('is the last address that no trusted proxy has; what stands before it is a claim', () => {
    for (const remote of ['10.0.0.9', '::ffff:10.0.0.9']) {
      expect(visitors(['10.0.0.0/24'])(asked(remote))).toEqual({
        address: '203.0.113.9',
        host: 'monitor.example',
        secure: true,
      });
    }
  });

  it.each([
    ['[2001:db8::1]:4711', '2001:db8::1'],
    ['203.0.113.9:80', '203.0.113.9'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
  ])('is found in %s', (text, address) => {
    const of = visitors(['2001:db8:1::/48', '10.0.0.9']);
    const header = (name: string) => (name === 'x-forwarded-for' ? text : undefined);
    expect(of({ remote: '2001:db8:1::7', header }).address).toBe(address);
    expect(of({ remote: '10.0.0.9', header }).address).toBe(address);
  });

  it('is the proxy itself where it says nothing', () => {
    const silent = { remote: '10.0.0.9', header: () => undefined };
    expect(visitors(['10.0.0.9'])(silent)).toEqual({ address: '10.0.0.9', host: undefined, secure: false });
  });
});
