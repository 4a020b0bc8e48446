/**
 * The first minute of a new release: the host itself watches it after the deploy has ended, and goes back to the release of before where it
 * fails. Bash as text, for the unit `pipeline-guard@APP`. Pure.
 *
 * Everything lies in a folder of the application and the unit is enabled, so neither a reboot nor a kill ends the watch: what is done is decided by
 * what is there (`reason`: it has failed; the weights: who serves).
 */

import type { Manifest } from '../contract/manifest.ts';
import type { Colour } from '../contract/places.ts';
import { AUDIT_LOG, other } from '../contract/places.ts';
import type { AuditEntry } from '../environment/audit.ts';
import { quote } from '../ssh/quote.ts';
import { RELEASE_FUNCTIONS } from './functions.ts';
import { returnScript } from './rollout.ts';

/** What is watched, for how long, and where to go back to. */
export interface Guard {
  /** Milliseconds from the end of the deploy. */
  readonly watch: number;
  readonly manifest: Manifest;
  readonly colour: Colour;
  readonly slot: number;
  /** The release of before, in the other colour. */
  readonly previous: Manifest;
  /** What is written where it fails, with the reason as message. */
  readonly audit: AuditEntry;
}

/** A process may end by itself this often within the watch: some services exit on some requests, and their old version does so too. */
const RESTARTS = 3;
/** Failed checks in a row, a second apart. */
const CHECKS = 3;

/** Part of a commit script: begins the watch. The deploy has succeeded whatever becomes of it. */
export function guardSteps(guard: Guard): string {
  const back = returnScript({
    manifest: guard.previous,
    slot: guard.slot,
    colour: other(guard.colour),
    old: guard.colour,
  });
  const seconds = Math.ceil(guard.watch / 1000);
  return `guard_start() {
  (umask 077 && mkdir -p "$settings/guard" && rm -f "$settings/guard"/* && printf %s ${quote(back)} >"$settings/guard/back" && printf %s ${quote(watchScript(guard))} >"$settings/guard/watch") &&
    echo $((EPOCHSECONDS + ${seconds})) >"$settings/guard/until" &&
    ln -sf ../pipeline-guard@.service "/etc/systemd/system/multi-user.target.wants/pipeline-guard@$app.service" &&
    systemctl restart --no-block "pipeline-guard@$app.service"
}
if guard_start 2>/dev/null; then say 'done guard the host watches it for ${seconds} s'; else say 'skipped guard the host cannot watch it'; fi`;
}

/** The program of the unit. It takes the lock only to go back, so that nobody waits for it. */
export function watchScript({ manifest, colour, previous, audit }: Guard): string {
  const { app, release, health } = manifest;
  const { at, ...known } = audit;
  const entry = JSON.stringify({ ...known, result: 'failed' }).slice(0, -1);
  return `# Written by pipeline: watches a new release, and goes back where it fails.
set -u
app=${quote(app)} release=${quote(release)} colour=${colour} user='' path='' old='' phase=none keep_state=1 started=$EPOCHSECONDS
${RELEASE_FUNCTIONS}
guard=$settings/guard
tell() { # WHAT-BECAME-OF-IT: the audit log, and a line of the journal with priority 3 (error)
  local message="$why; $1"
  echo "<3>$app $release failed in its first minute: $message"
  message=\${message//\\\\/\\\\\\\\} message=\${message//\\"/\\\\\\"}
  (umask 0027 && printf '%s,"at":"%s","message":"%s"}\\n' ${quote(entry)} "$(date -u +%FT%T.000Z)" "$(tr -d '\\000-\\037' <<<"$message")" >>${AUDIT_LOG})
}
forget() { rm -f "/etc/systemd/system/multi-user.target.wants/pipeline-guard@$app.service"; }
declare -A before bad
while read -r unit _; do before[$unit]=$(systemctl show --value -p NRestarts "$unit") bad[$unit]=0; done <"$settings/$colour.instances"
why=$(cat "$guard/reason" 2>/dev/null) until=$(cat "$guard/until") well=0
while [ -z "$why" ] && [ "$EPOCHSECONDS" -lt "$until" ]; do
  sleep 1
  while read -r unit address port _; do
    ended=$(($(systemctl show --value -p NRestarts "$unit") - before[$unit]))
    if [ $ended -gt ${RESTARTS} ]; then why="it ended $ended times by itself (exit code $(exit_code "$unit"))"; break; fi
    if said=$("$folder/check" "$address:$port"); then bad[$unit]=0 well=1; continue; fi
    bad[$unit]=$((bad[$unit] + 1))
    # After a reboot it may take as long to start as a new version may.
    if [ \${bad[$unit]} -ge ${CHECKS} ] && { [ $well = 1 ] || [ $((EPOCHSECONDS - started)) -ge ${Math.ceil(health.within / 1000)} ]; }; then why=$said; break; fi
  done <"$settings/$colour.instances"
done
if [ -z "$why" ]; then
  forget
  rm -rf "$guard"
  exit 0
fi
printf '%s\\n' "$why" >"$guard/reason.new" && mv "$guard/reason.new" "$guard/reason"
said=$(bash "$guard/back" 2>&1)
code=$?
printf '%s\\n' "$said" | sed -n 's/^@@ //p'
forget
if [ $code != 0 ]; then
  tell "${previous.release} could not be started: $(printf '%s\\n' "$said" | sed -n 's/^@@ failed [^ ]* //p' | tail -n 1)"
  exit 1
fi
echo failed >"$folder/state"
tell "went back to ${previous.release}"
`;
}
