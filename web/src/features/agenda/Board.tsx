import { useLanguage, useT } from '@/i18n/i18n';
import { clinicZone, sayTime } from '@/i18n/time';
import { Button } from '@/ui/Button';
import { Section } from '@/ui/Page';
import type { BoardLine } from './agenda';
import { StandingWord } from './StandingWord';
import styles from './agenda.module.css';

/** Who needs somebody now; opening a line gives what can be done for them. */
export function Board({ lines, onOpen }: { lines: BoardLine[]; onOpen: (line: BoardLine) => void }) {
  const t = useT('agenda');
  const { language } = useLanguage();
  return (
    <Section id="board" title={t('board.title')}>
      {lines.length === 0 ? (
        <p className={styles.soft}>{t('board.none')}</p>
      ) : (
        <ul role="list" className={styles.board}>
          {lines.map((l) => (
            <li key={l.appointment.id} className={styles.boardLine}>
              <span className={styles.boardTime}>{sayTime(l.appointment.start, clinicZone, language)}</span>
              <span className={styles.strong}>{l.appointment.patient.displayName}</span>
              <span className={styles.soft}>{l.practitioner.displayName}</span>
              <span>
                <StandingWord standing={l.standing} />
                {l.standing.is === 'waiting' && l.standing.behind && <span className={styles.soft}> {t('board.behind')}</span>}
              </span>
              <Button look="text" onPress={() => onOpen(l)} aria-label={t('board.openName', { name: l.appointment.patient.displayName })}>
                {t('board.open')}
              </Button>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}
