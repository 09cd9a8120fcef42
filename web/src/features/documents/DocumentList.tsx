import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import * as calls from '@/api/calls';
import { asProblem } from '@/api/client';
import type { DocumentItem } from '@/api/types';
import { useLanguage, useT } from '@/i18n/i18n';
import { dayOf, sayDateTime, sayFullDay, visitorZone } from '@/i18n/time';
import { Failure } from '@/ui/Alert';
import { Lines, Loading } from '@/ui/Loading';
import { useNow } from '@/ui/Page';
import { acts, stepOf, type Step } from './group';
import styles from './documents.module.css';

export function DocumentList({ items }: { items: readonly DocumentItem[] }) {
  const t = useT('documents');
  const { language } = useLanguage();
  return (
    <>
      {acts(items).map((act) => (
        <section key={act.key} className={styles.act} aria-labelledby={`act-${act.key}`}>
          <h2 id={`act-${act.key}`} className={styles.actDate}>
            {sayFullDay(dayOf(act.date, visitorZone()), language)}
          </h2>
          {act.current.map((d) => (
            <Document key={d.id} item={d} />
          ))}
          {act.replaced.length > 0 && (
            <details className={styles.more}>
              <summary>{t('older', { count: act.replaced.length })}</summary>
              {act.replaced.map((d) => (
                <Document key={d.id} item={d} />
              ))}
            </details>
          )}
        </section>
      ))}
    </>
  );
}

function Document({ item }: { item: DocumentItem }) {
  const t = useT('documents');
  const { language } = useLanguage();
  const now = useNow();
  const title = item.title || t(`kind.${item.kind}`);
  return (
    <article className={styles.document}>
      <h3>{title}</h3>
      <p>{t('by', { name: item.author.displayName, date: sayDateTime(item.date, now, visitorZone(), language) })}</p>
      {item.status === 'cancelled' && <p>{t('cancelled')}</p>}
      {item.status === 'replaced' && <p className={styles.soft}>{t('replaced')}</p>}
      {(item.version > 1 || item.status === 'replaced') && <p className={styles.soft}>{t('version', { n: item.version })}</p>}
      <Path item={item} now={now} />
      {item.dispensing && item.status === 'current' && (
        <p className={styles.soft}>
          {t(`dispensing.${item.dispensing.state}`, {
            pharmacy: item.dispensing.pharmacy ?? '',
            when: item.dispensing.at ? sayDateTime(item.dispensing.at, now, visitorZone(), language) : '',
          })}
        </p>
      )}
      <a className={styles.download} href={calls.documentPdf(item.id)} download aria-label={t('downloadNamed', { title })}>
        {t('download')}
      </a>
      <Accesses documentId={item.id} />
    </article>
  );
}

const order: readonly Step[] = ['signed', 'sent', 'received'];

/** Signed → sent → received, as steps with a word each; else the sentence that says what happens instead. */
function Path({ item, now }: { item: DocumentItem; now: Date }) {
  const t = useT('documents');
  const { language } = useLanguage();
  if (!item.delivery) return null;
  const reached = stepOf(item);
  const when = sayDateTime(item.delivery.at, now, visitorZone(), language);
  return (
    <>
      {reached && (
        <ol className={styles.path} aria-label={t('path.title')}>
          {order.map((step, i) => (
            <li key={step} className={i <= order.indexOf(reached) ? styles.done : undefined} aria-current={step === reached ? 'step' : undefined}>
              {t(`path.${step}`)}
            </li>
          ))}
        </ol>
      )}
      <p className={styles.soft}>{t(`delivery.${item.delivery.state}`, { when })}</p>
    </>
  );
}

function Accesses({ documentId }: { documentId: string }) {
  const t = useT('documents');
  const [open, setOpen] = useState(false);
  return (
    <details className={styles.more} onToggle={(e) => setOpen(e.currentTarget.open)}>
      <summary>{t('access.show')}</summary>
      {open && <AccessTable documentId={documentId} />}
    </details>
  );
}

const roles = new Set(['patient', 'doctor', 'dentist', 'midwife', 'professional', 'nurse', 'secretary', 'pharmacist', 'admin', 'system']);
const actions = new Set(['read', 'list', 'download', 'sign', 'send', 'dispense']);

function AccessTable({ documentId }: { documentId: string }) {
  const t = useT('documents');
  const { language } = useLanguage();
  const now = useNow();
  const found = useQuery({ queryKey: ['accesses', documentId], queryFn: () => calls.documentAccesses(documentId) });
  if (found.isPending) {
    return (
      <Loading what={t('access.loading')}>
        <Lines count={2} />
      </Loading>
    );
  }
  if (found.isError) return <Failure problem={asProblem(found.error)} retry={() => void found.refetch()} busy={found.isFetching} />;
  if (found.data.items.length === 0) return <p>{t('access.none')}</p>;
  const say = (prefix: 'role' | 'action', word: string, known: Set<string>) =>
    known.has(word) ? t(`${prefix}.${word}` as 'role.patient') : word;
  return (
    <ul role="list" className={styles.accesses}>
      {found.data.items.map((a, i) => (
        <li key={i}>
          <span className={styles.who}>{a.who}</span>
          <span>{[say('role', a.role, roles), say('action', a.action, actions)].join(', ')}</span>
          <span className={styles.soft}>{sayDateTime(a.at, now, visitorZone(), language)}</span>
        </li>
      ))}
    </ul>
  );
}
