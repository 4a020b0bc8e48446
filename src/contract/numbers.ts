/** Numbers that a service exposes, as the agent is asked to read them. */
export interface WantedNumber {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** On the service's own port. */
  readonly url: string;
  /** Name of a sample in Prometheus's text form, with labels if it needs some. */
  readonly prometheus?: string | undefined;
  /** Path of a JSON field, with dots. */
  readonly json?: string | undefined;
}
