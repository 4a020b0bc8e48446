/** What a database says of itself. */
export interface StoreStatus {
  /** Clients connected, the agent included; null where it does not say. */
  readonly connections: number | null;
  /** Bytes on disk, or in memory for Redis; null where it was not asked or does not say. */
  readonly size: number | null;
  /** What it would not tell, and why; empty where all is known. */
  readonly error: string;
}
