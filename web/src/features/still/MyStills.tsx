/** The patient's own photos, after the code: opened one by one, for each opening is written. */
import { useQuery } from '@tanstack/react-query';
import * as calls from '@/api/calls';
import { asProblem } from '@/api/client';
import { useLanguage, useT } from '@/i18n/i18n';
import { sayDateTime, visitorZone } from '@/i18n/time';
import { Failure } from '@/ui/Alert';
import { useNow } from '@/ui/Page';
import styles from './still.module.css';

export default function MyStills() {
  const t = useT('still');
  const { language } = useLanguage();
  const now = useNow();
  const mine = useQuery({ queryKey: ['my-stills'], queryFn: calls.myStills, staleTime: 60_000 });
  if (mine.isError) return <Failure problem={asProblem(mine.error)} retry={() => void mine.refetch()} busy={mine.isFetching} />;
  if (!mine.data || mine.data.items.length === 0) return null;
  return (
    <section aria-labelledby="my-photos" className={styles.mine}>
      <h2 id="my-photos">{t('mine.title')}</h2>
      <p className={styles.soft}>{t('mine.text')}</p>
      <ul role="list">
        {mine.data.items.map((s) => {
          const when = sayDateTime(s.at, now, visitorZone(), language);
          return (
            <li key={s.id}>
              <a href={calls.stillFile(s.id)} target="_blank" rel="noreferrer">
                {t('mine.open', { when })}
              </a>
              <span className={styles.soft}>{t('by.short', { name: s.takenBy || t(`role.${s.role}`) })}</span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
