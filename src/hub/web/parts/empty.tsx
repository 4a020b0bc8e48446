/** An empty list: why, and what to type next. */
import { Command } from './command.tsx';

interface Props {
  readonly title: string;
  readonly text?: string;
  readonly commands?: readonly string[];
}

export function Empty({ title, text, commands = [] }: Props) {
  return (
    <div class="empty">
      <p>{title}</p>
      {text !== undefined && <p class="dim">{text}</p>}
      {commands.map((command) => (
        <Command key={command} text={command} />
      ))}
    </div>
  );
}
