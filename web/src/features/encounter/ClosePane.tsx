/** After the call: what the report will carry without being typed (R6316-4), then the path of what was signed. */
import type { Encounter, Period, Stay } from '@/api/deskTypes';
import { Paths } from '@/features/deliveries/Paths';
import { useLanguage, useT } from '@/i18n/i18n';
import { clinicZone, dayOf, sayDuration, sayFullDay, sayTime } from '@/i18n/time';
import { notesOf } from './act';
import { role } from './traits';
import styles from './encounter.module.css';

export function ClosePane({ encounter }: { encounter: Encounter }) {
  const t = useT('encounter');
  const { language } = useLanguage();
  const { period } = encounter;
  const hour = (at: string | undefined) => (at ? sayTime(at, clinicZone, language) : '…');
  const span = (p: Period) => t('close.span', { from: hour(p.start), to: hour(p.end) });
  // What nobody saw, or was written after the end, says so: the signed report does too.
  const stay = (p: Stay) => [span(p), ...notesOf(p).map((n) => t(`close.${n}`))].join(', ');
  const cancelled = encounter.status === 'cancelled';
  return (
    <section className={styles.close} aria-labelledby="close-title">
      <h2 id="close-title">{t(cancelled ? 'close.cancelled' : 'close.title')}</h2>
      {cancelled && <p>{t('close.cancelledText')}</p>}
      {!cancelled && (
        <>
          <dl className={styles.facts}>
            {period.start && (
              <>
                <dt>{t('close.when')}</dt>
                <dd>
                  {sayFullDay(dayOf(period.start, clinicZone), language)}, {span(period)}
                </dd>
              </>
            )}
            <dt>{t('close.people')}</dt>
            <dd>
              <ul role="list">
                {encounter.participants.map((p) => (
                  <li key={p.person.id}>
                    {p.person.displayName}, {role(t, p.role)} <span className={styles.soft}>{p.periods.map(stay).join(' ; ')}</span>
                  </li>
                ))}
              </ul>
            </dd>
            <dt>{t('close.video')}</dt>
            <dd>
              {encounter.videoProof.bothWaysSeconds > 0
                ? t('close.videoBoth', { duration: sayDuration(encounter.videoProof.bothWaysSeconds) })
                : t('close.videoNone')}
            </dd>
            <dt>{t('close.identity')}</dt>
            <dd>{encounter.identityConfirmed ? t(`identified.${encounter.identifiedHow ?? 'face-and-name'}`) : t('close.identityNot')}</dd>
            <dt>{t('close.incidents')}</dt>
            <dd>
              {encounter.incidents.length === 0 ? (
                t('close.noIncident')
              ) : (
                <ul role="list">
                  {encounter.incidents.map((i) => (
                    <li key={`${i.at}-${i.code}`}>
                      {hour(i.at)} {i.text}
                    </li>
                  ))}
                </ul>
              )}
            </dd>
          </dl>
          <p className={styles.soft}>{t('close.automatic')}</p>
          {encounter.host && <Paths encounter={encounter} />}
        </>
      )}
    </section>
  );
}
