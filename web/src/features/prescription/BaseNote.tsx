import { useQuery } from '@tanstack/react-query';
import * as desk from '@/api/desk';
import { useLanguage, useT } from '@/i18n/i18n';
import { sayFullDay } from '@/i18n/time';
import styles from './prescription.module.css';

/** Which medicines base answers, and how old it is. */
export function BaseNote() {
  const t = useT('prescription');
  const { language } = useLanguage();
  const found = useQuery({ queryKey: ['medicines', ''], queryFn: ({ signal }) => desk.medicines('', signal), staleTime: 300_000 });
  const base = found.data?.base;
  if (!base) return null;
  if (base.sample) return <p className={styles.warning}>{t('base.sample')}</p>;
  if (!base.on) return <p className={styles.soft}>{t('base.undated')}</p>;
  const day = sayFullDay(base.on, language);
  return base.old ? <p className={styles.warning}>{t('base.old', { day, count: base.days })}</p> : <p className={styles.soft}>{t('base.day', { day })}</p>;
}
