/** One thing that `doctor` found. */
export interface DoctorFinding {
  readonly subject: string;
  readonly state: 'good' | 'warning' | 'bad';
  readonly message: string;
  /** How to mend it. */
  readonly next?: string | undefined;
}
