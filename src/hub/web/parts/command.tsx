/** A command with a button to copy it. */
import { useState } from 'preact/hooks';

export function Command({ text }: { readonly text: string }) {
  const [copied, setCopied] = useState(false);
  // Browsers allow the clipboard on https pages only.
  const copy = navigator.clipboard as Clipboard | undefined;
  return (
    <span class="command">
      <code>{text}</code>
      {copy !== undefined && (
        <button
          type="button"
          onClick={() =>
            copy.writeText(text).then(
              () => setCopied(true),
              () => setCopied(false),
            )
          }
        >
          {copied ? 'Copied' : 'Copy'}
        </button>
      )}
    </span>
  );
}
