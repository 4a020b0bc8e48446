/** History: alerts that fired and alerts that were resolved. */
import { duration } from '../../../../format.ts';
import type { AlertNotice } from '../../../api-types.ts';
import type { Page } from '../../page.ts';
import { alertHealth, alertWord } from '../../parts/alert-list.tsx';
import { Empty } from '../../parts/empty.tsx';
import { LocalTable } from '../../parts/local-table.tsx';
import { LogsLink } from '../../parts/logs-link.tsx';
import { Shape } from '../../parts/status.tsx';
import type { Column } from '../../parts/table.tsx';
import { ago, moment } from '../../state/format.ts';
import { hostLogs } from '../../state/place.ts';

interface Props {
  readonly page: Page;
  readonly notices: readonly AlertNotice[];
}

export function AlertHistory({ page, notices }: Props) {
  const told = notices.filter((notice) => notice.state !== 'test');
  if (told.length === 0)
    return (
      <Empty
        title="No alert has fired yet."
        text="Check that messages arrive:"
        commands={['pipeline monitor test-alert']}
      />
    );
  return (
    <LocalTable
      label="History of alerts"
      rows={told}
      keyOf={({ at, state, alert }) => `${at} ${state} ${alert.rule} ${alert.message}`}
      columns={columnsOf(page)}
    />
  );
}

function columnsOf(page: Page): readonly Column<AlertNotice>[] {
  return [
    {
      id: 'at',
      title: 'When',
      word: true,
      by: ({ at }) => at,
      cell: ({ at }) => <time title={ago(page.overview.at - at)}>{moment(at, true)}</time>,
    },
    {
      id: 'state',
      title: 'What',
      word: true,
      by: (notice) => alertWord(word(notice)),
      cell: (notice) => (
        <span class="nowrap">
          <Shape health={alertHealth(word(notice))} /> {alertWord(word(notice))}
        </span>
      ),
    },
    {
      id: 'subject',
      title: 'About',
      word: true,
      by: ({ alert }) => alert.subject,
      cell: ({ alert }) => alert.subject,
    },
    {
      id: 'message',
      title: 'Message',
      word: true,
      cell: ({ alert }) => (
        <>
          {alert.message}
          <LogsLink page={page} name={known(page, alert.subject)} at={alert.since} />
        </>
      ),
    },
    {
      id: 'lasted',
      title: 'Lasted',
      minor: true,
      by: ({ at, alert, state }) => (state === 'resolved' ? at - alert.since : null),
      cell: ({ at, alert, state }) => (state === 'resolved' ? duration(at - alert.since) : ''),
    },
  ];
}

/** What it is called and coloured by. */
const word = ({ state, alert }: AlertNotice) => ({
  state: state === 'resolved' ? ('resolved' as const) : ('firing' as const),
  severity: alert.severity,
});

/** An alert's subject that has logs. */
function known({ overview: { apps, hosts } }: Page, subject: string): string | undefined {
  if (apps.some(({ name }) => name === subject)) return subject;
  return hosts.some(({ name }) => name === subject) ? hostLogs(subject) : undefined;
}
