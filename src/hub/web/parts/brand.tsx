/** Whose page it is. */
export function Brand() {
  return (
    <p class="brand">
      <svg viewBox="0 0 20 20" aria-hidden="true">
        <path d="M2 11h4l2.5-6 3 11 2.5-7 1 2h3" />
      </svg>
      pipeline
    </p>
  );
}
