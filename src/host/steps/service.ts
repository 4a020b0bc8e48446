/** systemd units: enabled, running, and restarted or reloaded only when what they depend on changed. */

import { quote } from '../../ssh/quote.ts';
import type { ChangeAction } from '../change.ts';
import type { Due } from '../fingerprint.ts';
import type { Resource, ServiceResource } from '../resource.ts';
import type { Facts, ServiceFact } from '../state.ts';
import { firewallUnits } from './firewall.ts';
import { arriving, type Compare, changeOf, only, type Probe, words } from './step.ts';

/** States of a unit file in which there is nothing to enable. */
const NEEDS_NO_ENABLING: readonly string[] = ['static', 'indirect', 'generated', 'alias', 'transient'];
const RUNNING: readonly string[] = ['active', 'reloading', 'refreshing'];

/**
 * A unit that has no file. After `enable --no-reload`, newer systemd (257 does, 252 does not) says of every
 * unit that it needs a reload, of this one too: then nothing tells whose file changed.
 */
const WITHOUT_FILE = 'init.scope';

export const serviceProbe: Probe<Pick<Facts, 'services'>> = {
  script: (resources) => {
    const units = unitsOf(resources);
    if (units.length === 0) return '';
    const properties = 'LoadState,ActiveState,UnitFileState,NeedDaemonReload';
    return `systemctl show --property=${properties} -- ${words([WITHOUT_FILE, ...units])}`;
  },
  // One block a unit, in the order asked for, with an empty line between.
  parse: (lines, resources) => {
    const units = unitsOf(resources);
    const [fileless = '', ...blocks] = lines.join('\n').split(/\n\n+/);
    const unknowable = /^NeedDaemonReload=yes$/m.test(fileless);
    const services: Record<string, ServiceFact> = {};
    units.forEach((unit, index) => {
      const block = blocks[index];
      if (block === undefined) return;
      const value = (key: string) => new RegExp(`^${key}=(.*)$`, 'm').exec(block)?.[1] ?? '';
      services[unit] = {
        load: value('LoadState'),
        active: value('ActiveState'),
        enabled: value('UnitFileState'),
        needsReload: !unknowable && value('NeedDaemonReload') === 'yes',
      };
    });
    return { services };
  },
};

/** Units to ask for, also those that other kinds keep; each once. */
function unitsOf(resources: readonly Resource[]): readonly string[] {
  const own = only(resources, 'service').map(({ unit }) => unit);
  return [...new Set([...own, ...firewallUnits(resources)])];
}

/** What systemctl is asked to do, in this order; empty: nothing. */
interface Verbs {
  readonly enable: 'enable' | 'disable' | undefined;
  readonly run: 'start' | 'stop' | 'restart' | 'reload' | undefined;
}

export const compareService: Compare<ServiceResource> = (resource, facts, around) => {
  const { unit } = resource;
  const fact = facts.services[unit] ?? {
    load: 'not-found',
    active: 'inactive',
    enabled: '',
    needsReload: false,
  };
  const state = resource.state ?? 'running';
  const active = RUNNING.includes(fact.active);
  const restart = around.due(resource, [...(resource.restartOn ?? []), ...(resource.after ?? [])]);
  const reload = around.due(resource, resource.reloadOn ?? []);
  const outdated: Due | undefined = fact.needsReload
    ? { because: [], reason: 'its unit file changed' }
    : undefined;
  const due = active && state !== 'stopped' ? (restart ?? outdated ?? reload) : undefined;
  const verbs: Verbs = {
    enable: enabling(resource, fact, arriving(around).length > 0),
    run: running(state, active, due, due === reload && due !== undefined),
  };
  const action: ChangeAction | undefined = verbs.run ?? verbs.enable;
  if (action === undefined) return undefined;
  const isNow = active ? 'running' : fact.active === 'failed' ? 'failed' : 'stopped';
  const wanted = verbs.run === 'stop' ? 'stopped' : verbs.run === undefined ? isNow : 'running';
  return {
    action,
    diff: [
      ...(verbs.enable === undefined
        ? []
        : changeOf('at boot', fact.enabled || undefined, `${verbs.enable}d`)),
      ...changeOf('now', isNow, wanted),
    ],
    reason: due?.reason,
    because: due?.because,
    doing: `${DOING[action] ?? action} ${unit.replace(/\.service$/, '')}`,
    script: serviceScript(resource, verbs, fact.load === 'masked', around.unitFilesChanged),
  };
};

const DOING: Partial<Record<ChangeAction, string>> = {
  start: 'starting',
  stop: 'stopping',
  restart: 'restarting',
  reload: 'reloading',
  enable: 'enabling',
  disable: 'disabling',
};

/** `arrives`: packages come before it, and a unit that a package brings is enabled by it. */
function enabling(resource: ServiceResource, fact: ServiceFact, arrives: boolean): Verbs['enable'] {
  const wanted = resource.enabled;
  if (wanted === undefined || NEEDS_NO_ENABLING.includes(fact.enabled)) return undefined;
  if (!wanted && fact.load === 'not-found') return arrives ? 'disable' : undefined;
  const enabled = fact.enabled.startsWith('enabled') && fact.enabled !== 'enabled-runtime';
  if (wanted === enabled) return undefined;
  return wanted ? 'enable' : 'disable';
}

function running(
  state: NonNullable<ServiceResource['state']>,
  active: boolean,
  due: Due | undefined,
  reloadSuffices: boolean,
): Verbs['run'] {
  if (state === 'running' && !active) return 'start';
  if (state === 'stopped' && active) return 'stop';
  if (due === undefined) return undefined;
  return reloadSuffices ? 'reload' : 'restart';
}

function serviceScript(
  resource: ServiceResource,
  verbs: Verbs,
  masked: boolean,
  reloadUnits: boolean,
): string {
  const unit = quote(resource.unit);
  const starts = verbs.run === 'start' || verbs.run === 'restart';
  const verb = verbs.run === 'reload' ? 'reload-or-restart' : verbs.run;
  return [
    ...(masked && resource.enabled !== false ? [`systemctl --quiet unmask ${unit}`] : []),
    ...(reloadUnits ? ['systemctl daemon-reload'] : []),
    ...(verbs.enable === undefined ? [] : [enableLine(verbs.enable, unit)]),
    // A unit that failed too often is not started again until its counter is reset.
    ...(starts ? [`systemctl reset-failed ${unit} 2>/dev/null || true`] : []),
    ...(verb === undefined ? [] : [`unit ${verb} ${unit}`]),
  ].join('\n');
}

/**
 * What is enabled matters at the next boot: systemd need not read everything again now. It would, twice, for a
 * unit that also has a script in /etc/init.d; a package that came just now has mostly enabled its unit itself.
 */
function enableLine(verb: 'enable' | 'disable', unit: string): string {
  const line = `systemctl --quiet --no-reload ${verb} ${unit}`;
  return verb === 'disable' ? line : `[[ $(systemctl is-enabled ${unit} 2>/dev/null) = enabled ]] || ${line}`;
}
