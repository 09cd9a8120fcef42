/** The schedule: who needs somebody now, then the day of each practitioner or the week of one. No clinical word here. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { asProblem } from '@/api/client';
import * as desk from '@/api/desk';
import type { Agenda } from '@/api/deskTypes';
import { Desk } from '@/features/desk/Desk';
import { DeskFailure } from '@/features/desk/DeskFailure';
import { Stale } from '@/features/desk/Stale';
import { useLanguage, useT } from '@/i18n/i18n';
import { addDays, clinicZone, dayOf, sayFullDay } from '@/i18n/time';
import { Button } from '@/ui/Button';
import { Select } from '@/ui/Field';
import { Lines, Loading } from '@/ui/Loading';
import { useNow } from '@/ui/Page';
import { Segments } from '@/ui/Segments';
import { AppointmentDialog } from './AppointmentDialog';
import { board, dayColumns, daytime, mondayOf, weekColumns, type Cell } from './agenda';
import { Board } from './Board';
import { BookDialog } from './BookDialog';
import { TimeGrid } from './TimeGrid';
import styles from './agenda.module.css';

type Span = 'day' | 'week';

export default function AgendaPage() {
  const t = useT('agenda');
  // Loaded with the page: a dialog that waits for its words would blank what is behind it.
  useT('patients');
  useT('companion');
  const { language } = useLanguage();
  const now = useNow(20_000);
  const today = dayOf(now, clinicZone);
  const [day, setDay] = useState(today);
  const [span, setSpan] = useState<Span>('day');
  const from = span === 'day' ? day : mondayOf(day);
  const days = span === 'day' ? 1 : 7;
  const found = useQuery({
    queryKey: ['agenda', from, days],
    queryFn: () => desk.agenda(from, days),
    refetchInterval: 10_000,
    staleTime: 0,
    placeholderData: keepPreviousData,
  });
  const step = (n: number) => setDay(addDays(day, n * days));
  const said = sayFullDay(from, language);
  return (
    <Desk title={t('title')}>
      <div className={styles.tools}>
        <h2 className={styles.when}>{span === 'day' ? said : t('weekOf', { day: said })}</h2>
        <div className={styles.group}>
          <Button look="secondary" onPress={() => step(-1)} aria-label={t(`before.${span}`)}>
            <span aria-hidden="true">‹</span>
          </Button>
          <Button look="secondary" onPress={() => setDay(today)} isDisabled={day === today}>
            {t('today')}
          </Button>
          <Button look="secondary" onPress={() => step(1)} aria-label={t(`after.${span}`)}>
            <span aria-hidden="true">›</span>
          </Button>
        </div>
        <Segments
          label={t('span.name')}
          value={span}
          onChange={setSpan}
          options={[
            { value: 'day', label: t('span.day') },
            { value: 'week', label: t('span.week') },
          ]}
        />
      </div>
      {found.isPending && (
        <Loading what={t('loading')}>
          <Lines count={6} tall />
        </Loading>
      )}
      {found.isError && !found.data && <DeskFailure problem={asProblem(found.error)} retry={() => void found.refetch()} busy={found.isFetching} />}
      {found.isError && found.data && <Stale since={found.dataUpdatedAt} problem={asProblem(found.error)} />}
      {found.data && <Schedule agenda={found.data} span={span} from={from} now={now} busy={found.isPlaceholderData} />}
    </Desk>
  );
}

type Props = { agenda: Agenda; span: Span; from: string; now: Date; busy: boolean };

function Schedule({ agenda, span, from, now, busy }: Props) {
  const t = useT('agenda');
  const [chosen, setChosen] = useState('');
  const [open, setOpen] = useState<Cell | null>(null);
  const [night, setNight] = useState(false);
  const zone = agenda.zone || clinicZone;
  const { practitioners } = agenda;
  const one = practitioners.find((p) => p.id === chosen) ?? practitioners[0];
  if (!one) return <p>{t('noPractitioner')}</p>;
  const all = span === 'day' ? dayColumns(practitioners, from, zone) : weekColumns(one, from, zone);
  const day = daytime(all, zone);
  const practitioner = open && practitioners.find((p) => p.id === open.practitionerId);
  return (
    <>
      {span === 'day' && from === dayOf(now, zone) && (
        <Board lines={board(practitioners, now, zone)} onOpen={(line) => setOpen({ kind: 'appointment', practitionerId: line.practitioner.id, appointment: line.appointment, start: line.appointment.start, end: line.appointment.end })} />
      )}
      {span === 'week' && practitioners.length > 1 && (
        <div className={styles.choose}>
          <Select label={t('practitioner')} name="practitioner" value={one.id} onChange={setChosen} options={practitioners.map((p) => ({ value: p.id, label: p.displayName }))} />
        </div>
      )}
      <TimeGrid columns={night ? all : day.columns} zone={zone} now={now} span={span} busy={busy} onOpen={setOpen} />
      {day.hidden > 0 && (
        <div>
          <Button look="text" onPress={() => setNight(!night)}>
            {t(night ? 'night.hide' : 'night.show')}
          </Button>
        </div>
      )}
      {open?.kind === 'free' && practitioner && <BookDialog practitioner={practitioner} slot={open} zone={zone} onClose={() => setOpen(null)} />}
      {open?.kind === 'appointment' && practitioner && (
        <AppointmentDialog practitioner={practitioner} appointment={open.appointment} zone={zone} now={now} onClose={() => setOpen(null)} />
      )}
    </>
  );
}
