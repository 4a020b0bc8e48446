/** What every view gets. */
import type { Overview, SessionUser } from '../api-types.ts';
import type { Go } from './hooks/use-place.ts';
import type { Stream } from './hooks/use-stream.ts';
import type { Place } from './state/place.ts';

export interface Page {
  readonly place: Place;
  readonly go: Go;
  readonly stream: Stream;
  readonly overview: Overview;
  readonly user: SessionUser;
  /** What was typed into the search field. */
  readonly search: string;
  readonly dark: boolean;
  readonly onSignedOut: () => void;
}
