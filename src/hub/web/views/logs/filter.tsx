/** Whose lines are shown, and which of them. */
import { useEffect, useState } from 'preact/hooks';
import type { ShownLogLine } from '../../../api-types.ts';
import type { Page } from '../../page.ts';
import { elsewhere, hostLogs } from '../../state/place.ts';

interface Props {
  readonly page: Page;
  readonly name: string;
  readonly isApp: boolean;
  readonly lines: readonly ShownLogLine[];
}

const LEAST: readonly (readonly [level: string, title: string])[] = [
  ['', 'All'],
  ['info', 'Info'],
  ['warning', 'Warnings'],
  ['error', 'Errors'],
];

/** Hosts are asked once nothing was typed for this long. */
const TYPED_MS = 400;

export function LogFilter({ page, name, isApp, lines }: Props) {
  const { place, go, overview } = page;
  const app = isApp ? overview.apps.find((one) => one.name === name) : undefined;
  const hosts = app?.hosts ?? [];
  const releases = [
    ...new Set([...(app?.releases ?? []), ...lines.map(({ release }) => release), place.release]),
  ].filter((release) => release !== '');
  return (
    <div class="filter">
      <Subject page={page} name={name} gone={isApp && app === undefined} />
      <Level value={place.kind} onChoose={(kind) => go({ ...place, name, kind })} />
      {isApp && hosts.length > 1 && (
        <Choice
          label="Host"
          all="All hosts"
          value={place.at}
          values={hosts}
          onChoose={(at) => go({ ...place, name, at })}
        />
      )}
      {isApp && releases.length > 0 && (
        <Choice
          label="Release"
          all="All releases"
          value={place.release}
          values={releases.toSorted().toReversed()}
          onChoose={(release) => go({ ...place, name, release })}
        />
      )}
      {isApp && (
        <Requests
          shown={place.requests === 'yes'}
          onToggle={() => go({ ...place, name, requests: place.requests === 'yes' ? '' : 'yes' })}
        />
      )}
      <Search value={place.filter} onSearch={(filter) => go({ ...place, name, filter }, 'replace')} />
    </div>
  );
}

interface SubjectProps {
  readonly page: Page;
  readonly name: string;
  /** It is an application that answers no longer. */
  readonly gone: boolean;
}

function Subject({ page: { place, go, overview }, name, gone }: SubjectProps) {
  return (
    <select
      aria-label="Application or host"
      value={name}
      onChange={(event) => go(elsewhere(place, 'logs', event.currentTarget.value))}
    >
      <optgroup label="Applications">
        {overview.apps.map((one) => (
          <option key={one.name}>{one.name}</option>
        ))}
        {gone && name !== '' && <option>{name}</option>}
      </optgroup>
      <optgroup label="Hosts">
        {overview.hosts.map((one) => (
          <option key={one.name} value={hostLogs(one.name)}>
            {one.name}
          </option>
        ))}
      </optgroup>
    </select>
  );
}

interface LevelProps {
  readonly value: string;
  readonly onChoose: (level: string) => void;
}

function Level({ value, onChoose }: LevelProps) {
  return (
    <fieldset class="chips" aria-label="Level: this bad or worse">
      {LEAST.map(([level, title]) => (
        <button type="button" key={level} aria-pressed={value === level} onClick={() => onChoose(level)}>
          {title}
        </button>
      ))}
    </fieldset>
  );
}

interface RequestsProps {
  readonly shown: boolean;
  readonly onToggle: () => void;
}

function Requests({ shown, onToggle }: RequestsProps) {
  return (
    <fieldset class="chips" aria-label="Also requests">
      <button
        type="button"
        aria-pressed={shown}
        title="Also the requests that nginx answered"
        onClick={onToggle}
      >
        Requests
      </button>
    </fieldset>
  );
}

interface ChoiceProps {
  readonly label: string;
  /** What stands for no choice. */
  readonly all: string;
  readonly value: string;
  readonly values: readonly string[];
  readonly onChoose: (value: string) => void;
}

function Choice({ label, all, value, values, onChoose }: ChoiceProps) {
  return (
    <select aria-label={label} value={value} onChange={(event) => onChoose(event.currentTarget.value)}>
      <option value="">{all}</option>
      {values.map((one) => (
        <option key={one} value={one}>
          {one}
        </option>
      ))}
    </select>
  );
}

interface SearchProps {
  readonly value: string;
  readonly onSearch: (text: string) => void;
}

function Search({ value, onSearch }: SearchProps) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return;
    const timer = setTimeout(() => onSearch(text), TYPED_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <input
      type="search"
      placeholder="Contains"
      aria-label="Text that a line contains"
      maxLength={200}
      value={text}
      onInput={(event) => setText(event.currentTarget.value)}
    />
  );
}
