/** What has to change on a host: a pure function of what it is and what it should be. */

import { quote } from '../ssh/quote.ts';
import type { HostPlan, Theirs } from './change.ts';
import { type Due, dependencies, due, fingerprint, stampPath } from './fingerprint.ts';
import { concerning, inOrder, prepared, UNIT_FILE } from './order.ts';
import { id, type Resource } from './resource.ts';
import { applyScript, type ScriptStep, stampScript } from './script.ts';
import type { Facts } from './state.ts';
import { compareAbsent } from './steps/absent.ts';
import { compareCommand } from './steps/command.ts';
import { compareDirectory } from './steps/directory.ts';
import { compareFile } from './steps/file.ts';
import { compareFirewall } from './steps/firewall.ts';
import { compareLink } from './steps/link.ts';
import { comparePackage, heldUnits, REPAIR, transaction } from './steps/package.ts';
import { compareService } from './steps/service.ts';
import { stampText } from './steps/stamp.ts';
import { type Difference, only, type Surroundings } from './steps/step.ts';
import { compareUser } from './steps/user.ts';

export type { Change, HostPlan, Theirs } from './change.ts';

/** A resource that has to act. */
interface Step {
  readonly resource: Resource | undefined;
  readonly difference: Difference;
}

/**
 * Compares. The same facts and resources always give the same plan; no changes means that nothing is to do.
 * @throws Failure where what stands on the host must not be replaced, or where the resources contradict each
 *   other.
 */
export function plan(facts: Facts, resources: readonly Resource[]): HostPlan {
  const ordered = inOrder(concerning(prepared(resources), facts));
  const known = new Map(ordered.map((resource) => [id(resource), resource]));
  const changed = new Set<string>();
  const steps: Step[] = facts.interrupted ? [{ resource: undefined, difference: REPAIR }] : [];
  let unitFilesChanged = Object.values(facts.services).some(({ needsReload }) => needsReload);
  for (const resource of ordered) {
    const difference = compare(resource, facts, {
      changed,
      unitFilesChanged,
      due: (dependent, watched): Due | undefined => due(dependent, watched, known, changed, facts),
    });
    if (difference === undefined) continue;
    changed.add(id(resource));
    const unit = 'path' in resource ? UNIT_FILE.exec(resource.path)?.[1] : undefined;
    // The step of a service lets systemd read what changed before it; a unit without such a step has it read
    // at once.
    if (resource.kind === 'service') unitFilesChanged = false;
    else if (unit !== undefined && known.has(`service ${unit}`)) unitFilesChanged = true;
    const reload = unit !== undefined && !known.has(`service ${unit}`) ? '\nsystemctl daemon-reload' : '';
    steps.push({ resource, difference: { ...difference, script: difference.script + reload } });
  }
  return {
    changes: steps.map(({ resource, difference: { action, diff, reason, because, doing } }) => ({
      id: resource === undefined ? 'packages' : id(resource),
      action,
      diff,
      reason,
      because: because ?? [],
      doing,
    })),
    theirs: theirsOf(ordered, steps, facts),
    script:
      steps.length === 0
        ? ''
        : applyScript(scriptSteps(steps, known, heldUnits(ordered, facts)), forget(ordered, changed, facts)),
    secrets: ordered.flatMap((resource) => secretTexts(resource)),
  };
}

/** What somebody else has there: what was looked for and found, and files that would be replaced. */
function theirsOf(ordered: readonly Resource[], steps: readonly Step[], facts: Facts): readonly Theirs[] {
  const looked = only(ordered, 'theirs').flatMap((resource): Theirs[] => {
    const found = facts.theirs[resource.name] ?? [];
    const { fate, says, next } = resource;
    return found.length === 0 ? [] : [{ id: id(resource), fate, says, found, next }];
  });
  const replaced = steps.flatMap(({ resource, difference: { theirs } }): Theirs[] =>
    resource === undefined || theirs === undefined
      ? []
      : [{ id: id(resource), fate: 'ask', says: theirs, found: [] }],
  );
  return [...looked, ...replaced];
}

/** What of a resource must not be shown, also as it stands in the script. */
function secretTexts(resource: Resource): readonly string[] {
  const text = resource.kind === 'file' ? resource.content : resource.kind === 'command' ? resource.run : '';
  if (!('secret' in resource) || !resource.secret) return [];
  return [text, quote(text)];
}

function compare(resource: Resource, facts: Facts, around: Surroundings): Difference | undefined {
  switch (resource.kind) {
    case 'package':
      return comparePackage(resource, facts, around);
    case 'file':
      return compareFile(resource, facts, around);
    case 'absent':
      return compareAbsent(resource, facts, around);
    case 'directory':
      return compareDirectory(resource, facts, around);
    case 'link':
      return compareLink(resource, facts, around);
    case 'user':
      return compareUser(resource, facts, around);
    case 'service':
      return compareService(resource, facts, around);
    case 'firewall':
      return compareFirewall(resource, facts, around);
    case 'command':
      return compareCommand(resource, facts, around);
    case 'theirs':
      return undefined;
  }
}

/** Neighbouring packages become one transaction; services and commands remember what they acted with. */
function scriptSteps(
  steps: readonly Step[],
  known: ReadonlyMap<string, Resource>,
  held: readonly string[],
): readonly ScriptStep[] {
  const result: ScriptStep[] = [];
  for (let index = 0; index < steps.length; ) {
    const rest = steps.slice(index);
    const end = rest.findIndex(({ resource }) => resource?.kind !== 'package');
    const packages = end === -1 ? rest : rest.slice(0, end);
    const [first] = rest;
    if (packages.length > 0) {
      result.push({
        bash: transaction(
          packages.map(({ difference }) => difference),
          held,
        ),
        changes: packages.length,
      });
      index += packages.length;
    } else if (first !== undefined) {
      result.push({ bash: first.difference.script + remember(first.resource, known), changes: 1 });
      index++;
    }
  }
  return result;
}

/** Bash that notes with what a service or command acted; empty for others. */
function remember(resource: Resource | undefined, known: ReadonlyMap<string, Resource>): string {
  if (resource?.kind !== 'service' && resource?.kind !== 'command') return '';
  const entries = dependencies(resource).flatMap((dependency): [string, string][] => {
    const current = known.get(dependency);
    return current === undefined ? [] : [[dependency, fingerprint(current)]];
  });
  if (entries.length === 0) return '';
  const name = id(resource);
  return `\n${stampScript(stampPath(name), stampText(name, Object.fromEntries(entries)))}`;
}

/**
 * Before the first step, whoever depends on what changes forgets that it knew it. A run that is killed
 * between the change and the restart thereby leaves a restart that is due.
 */
function forget(ordered: readonly Resource[], changed: ReadonlySet<string>, facts: Facts): readonly string[] {
  return ordered.flatMap((resource) => {
    const name = id(resource);
    const stamp = facts.stamps[name];
    if (stamp === undefined || !dependencies(resource).some((dependency) => changed.has(dependency)))
      return [];
    const kept = Object.entries(stamp).filter(([dependency]) => !changed.has(dependency));
    return [stampScript(stampPath(name), stampText(name, Object.fromEntries(kept)))];
  });
}
