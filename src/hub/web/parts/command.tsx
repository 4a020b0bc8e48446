/** Something to type, that can be copied. */
import { useState } from 'preact/hooks';

export function Command({ text }: { readonly text: string }) {
  const [copied, setCopied] = useState(false);
  // Browsers give the clipboard to pages over https alone.
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
