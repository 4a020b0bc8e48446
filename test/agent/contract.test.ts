import { describe, expect, it } from 'vitest';
import { type AgentConfigInput, readAgentConfig } from '../../src/contract/agent.ts';

function problemsOf(document: unknown): readonly string[] {
  const problems: string[] = [];
  readAgentConfig(document, (problem) => problems.push(problem));
  return problems;
}

const LEAST: AgentConfigInput = { host: 'checkbox', redis: { host: '10.0.0.1', port: 6380 } };

describe('agent.json, as both sides know it', () => {
  it('is read as it is written', () => {
    const written: AgentConfigInput = {
      ...LEAST,
      checks: [{ name: 'site', url: 'https://checkbox.io', follow: 'yes' }],
      stores: [{ name: 'main', kind: 'mysql', address: '/run/mysqld/mysqld.sock' }],
    };
    expect(problemsOf(written)).toEqual([]);
  });

  it('refuses to a writer what the reader would refuse', () => {
    // @ts-expect-error there is no such kind of store
    const kind: AgentConfigInput = { ...LEAST, stores: [{ name: 'a', kind: 'oracle', address: '/a' }] };
    expect(problemsOf(kind)).toEqual(['stores[0].kind must be one of redis, mysql, mongodb']);
    // @ts-expect-error a misspelt key
    const key: AgentConfigInput = { ...LEAST, unit: ['*.service'] };
    expect(problemsOf(key)).toEqual(['unit is unknown: did you mean units?']);
    // @ts-expect-error the agent has to know where to send
    const redis: AgentConfigInput = { host: 'checkbox' };
    expect(problemsOf(redis)).toContain('redis must be an object');
  });

  it('says what is wrong with a check next to all other mistakes', () => {
    expect(problemsOf({ ...LEAST, host: 'a b', checks: [{ name: 'neither' }] })).toEqual([
      'host must be the name of this host in the inventory',
      'checks[0] must have either url or tcp',
    ]);
  });
});
