import { useQuery } from '@tanstack/react-query';
import { documentPdf } from '@/api/calls';
import { asProblem } from '@/api/client';
import * as desk from '@/api/desk';
import type { Encounter } from '@/api/deskTypes';
import { DeskFailure } from '@/features/desk/DeskFailure';
import { useLanguage, useT } from '@/i18n/i18n';
import { clinicZone, dayOf, sayBirthDate } from '@/i18n/time';
import { Lines, Loading } from '@/ui/Loading';
import styles from './encounter.module.css';

/** The patient's other documents, the newest first; opening one is written in their record of accesses. */
export function PreviousDocuments({ encounter }: { encounter: Encounter }) {
  const t = useT('encounter');
  const { language } = useLanguage();
  const found = useQuery({
    queryKey: ['documents', encounter.patient.id],
    queryFn: () => desk.patientDocuments(encounter.patient.id),
    staleTime: 30_000,
  });
  if (found.isPending) {
    return (
      <Loading what={t('documents.loading')}>
        <Lines count={4} />
      </Loading>
    );
  }
  if (found.isError) return <DeskFailure problem={asProblem(found.error)} retry={() => void found.refetch()} busy={found.isFetching} />;
  const items = found.data.items.filter((d) => d.encounterId !== encounter.id).sort((a, b) => b.date.localeCompare(a.date));
  if (items.length === 0) return <p className={styles.soft}>{t('documents.none')}</p>;
  return (
    <ul role="list" className={styles.list}>
      {items.map((d) => (
        <li key={d.id}>
          <p>
            <a href={documentPdf(d.id)} target="_blank" rel="noreferrer">
              {d.title}
            </a>
          </p>
          <p className={styles.soft}>
            {t('documents.by', { date: sayBirthDate(dayOf(d.date, clinicZone), language), name: d.author.displayName })}
            {d.status === 'cancelled' && ` ${t('documents.cancelled')}`}
            {d.status === 'replaced' && ` ${t('documents.replaced')}`}
          </p>
        </li>
      ))}
    </ul>
  );
}
