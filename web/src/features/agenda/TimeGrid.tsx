/** Time downwards, columns across. On a narrow screen the same cells are lists, one per column. */
import type { CSSProperties } from 'react';
import { useLanguage, useT, type Language } from '@/i18n/i18n';
import { dayOf, sayTime } from '@/i18n/time';
import { minuteOf, place, scale, standing, type Cell, type Column, type Scale } from './agenda';
import { StandingWord } from './StandingWord';
import styles from './agenda.module.css';

type Props = { columns: Column[]; zone: string; now: Date; span: 'day' | 'week'; busy: boolean; onOpen: (cell: Cell) => void };

export function TimeGrid({ columns, zone, now, span, busy, onOpen }: Props) {
  const t = useT('agenda');
  const { language } = useLanguage();
  const s = scale(columns, zone);
  const today = dayOf(now, zone);
  const hours = Array.from({ length: (s.to - s.from) / 60 }, (_, i) => s.from + i * 60);
  const height = (s.to - s.from) * s.rem;
  const minute = minuteOf(now.toISOString(), zone);
  return (
    <div className={styles.grid} aria-busy={busy} style={{ '--columns': columns.length, '--height': `${height}rem`, '--hour': `${60 * s.rem}rem` } as CSSProperties}>
      <div className={styles.hours} aria-hidden="true">
        {hours.map((h) => (
          <span key={h} className={styles.hour} style={{ top: `${(h - s.from) * s.rem}rem` }}>
            {h / 60} h
          </span>
        ))}
        {columns.some((c) => c.day === today) && minute >= s.from && minute <= s.to && (
          <span className={`${styles.hour} ${styles.hourNow}`} style={{ top: `${(minute - s.from) * s.rem}rem` }}>
            {sayTime(now.toISOString(), zone, language)}
          </span>
        )}
      </div>
      {columns.map((c) => (
        <section key={c.key} className={styles.column} aria-labelledby={`column-${c.key}`}>
          <h3 id={`column-${c.key}`} className={styles.columnTitle} aria-current={span === 'week' && c.day === today ? 'date' : undefined}>
            <span>{span === 'day' ? c.practitioner.displayName : weekday(c.day, language)}</span>
          </h3>
          <ul role="list" className={styles.cells}>
            {c.cells.length === 0 && <li className={styles.emptyColumn}>{t('nothing')}</li>}
            {c.cells.map((cell) => (
              <CellItem key={`${cell.kind}-${cell.start}`} cell={cell} scale={s} zone={zone} now={now} wide={span === 'day'} onOpen={() => onOpen(cell)} />
            ))}
          </ul>
          {c.day === today && <NowMark scale={s} minute={minute} />}
        </section>
      ))}
    </div>
  );
}

/** « lundi 23 »: month and year are named above. */
function weekday(day: string, language: Language): string {
  return new Intl.DateTimeFormat(language === 'fr' ? 'fr-FR' : 'en-GB', { weekday: 'long', day: 'numeric', timeZone: 'UTC' }).format(new Date(`${day}T12:00:00Z`));
}

function NowMark({ scale: s, minute }: { scale: Scale; minute: number }) {
  if (minute < s.from || minute > s.to) return null;
  return <div className={styles.now} aria-hidden="true" style={{ top: `calc(var(--title) + ${(minute - s.from) * s.rem}rem)` }} />;
}

type ItemProps = { cell: Cell; scale: Scale; zone: string; now: Date; wide: boolean; onOpen: () => void };

function CellItem({ cell, scale: s, zone, now, wide, onOpen }: ItemProps) {
  const t = useT('agenda');
  const { language } = useLanguage();
  const { top, height } = place(cell, s, zone);
  const time = sayTime(cell.start, zone, language);
  const past = Date.parse(cell.end) < now.getTime();
  const style = { '--top': `${top}rem`, '--tall': `${height}rem` } as CSSProperties;
  if (cell.kind === 'free') {
    if (past) return null;
    return (
      <li className={styles.cell} style={style}>
        <button type="button" className={styles.free} onClick={onOpen} aria-label={t('bookAt', { time })}>
          <span className={styles.cellTime}>{time}</span> {t('free')}
        </button>
      </li>
    );
  }
  const stand = standing(cell.appointment, now);
  return (
    <li className={styles.cell} style={style}>
      <button type="button" data-brief={wide ? undefined : true} className={`${styles.booked} ${stand.is === 'done' || stand.is === 'absent' ? styles.over : ''}`} onClick={onOpen}>
        <span className={styles.cellTime}>{time}</span> <span className={styles.cellName}>{cell.appointment.patient.displayName}</span>{' '}
        {stand.is !== 'expected' && <span className={wide ? styles.cellState : styles.cellStateNarrow}><StandingWord standing={stand} /></span>}
      </button>
    </li>
  );
}
