/** What could not leave electronically: to print, to post, or to try again. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { asProblem } from '@/api/client';
import * as desk from '@/api/desk';
import type { Delivery } from '@/api/deskTypes';
import { Desk } from '@/features/desk/Desk';
import { DeskFailure } from '@/features/desk/DeskFailure';
import { Stale } from '@/features/desk/Stale';
import { useLanguage, useT } from '@/i18n/i18n';
import { clinicZone, sayDateTime } from '@/i18n/time';
import { Button } from '@/ui/Button';
import { Lines, Loading } from '@/ui/Loading';
import { useNow } from '@/ui/Page';
import { State } from '@/ui/State';
import styles from './deliveries.module.css';

export default function PostPage() {
  const t = useT('deliveries');
  const found = useQuery({ queryKey: ['to-post'], queryFn: desk.toPost, refetchInterval: 30_000 });
  const [done, setDone] = useState<readonly Delivery[]>([]);
  const gone = new Set(done.map((d) => d.id));
  const items = (found.data?.items ?? []).filter((d) => !gone.has(d.id));
  return (
    <Desk title={t('post.title')}>
      {found.isPending && (
        <Loading what={t('post.loading')}>
          <Lines count={4} tall />
        </Loading>
      )}
      {found.isError && !found.data && <DeskFailure problem={asProblem(found.error)} retry={() => void found.refetch()} busy={found.isFetching} />}
      {found.isError && found.data && <Stale since={found.dataUpdatedAt} problem={asProblem(found.error)} />}
      {found.data && items.length === 0 && (
        <div className={styles.nothing}>
          <p className={styles.nothingTitle}>{t('post.none')}</p>
          <p>{t('post.noneNow')}</p>
        </div>
      )}
      {items.length > 0 && (
        <>
          <p>{t('post.lead')}</p>
          <ol role="list" className={styles.queue}>
            {items.map((d) => (
              <Sheet key={d.id} delivery={d} onDone={() => setDone((before) => [...before, d])} />
            ))}
          </ol>
        </>
      )}
      {done.length > 0 && (
        <p role="status">
          <State tone="good">{t('post.done', { count: done.length })}</State>
        </p>
      )}
    </Desk>
  );
}

function Sheet({ delivery, onDone }: { delivery: Delivery; onDone: () => void }) {
  const t = useT('deliveries');
  const { language } = useLanguage();
  const now = useNow();
  const client = useQueryClient();
  const settle = { onSuccess: () => (onDone(), client.invalidateQueries({ queryKey: ['to-post'] })) };
  const posted = useMutation({ mutationFn: () => desk.markPosted(delivery.id), ...settle });
  const retry = useMutation({ mutationFn: () => desk.retryDelivery(delivery.id), ...settle });
  const since = delivery.history.at(-1)?.at;
  const { label } = delivery.to;
  const problem = posted.error ?? retry.error;
  return (
    <li className={styles.sheet}>
      <div>
        <p className={styles.label}>{label}</p>
        {delivery.to.addressHint && <p>{delivery.to.addressHint}</p>}
        <p className={styles.soft}>
          {t('post.documents', { count: delivery.documents.length })}
          {since && ` ${t('post.since', { when: sayDateTime(since, now, clinicZone, language) })}`}
        </p>
        <p>{delivery.reason ?? t('post.noReason')}</p>
        {problem && <DeskFailure problem={asProblem(problem)} />}
      </div>
      <div className={styles.actions}>
        <a href={desk.deliverySheet(delivery.id)} target="_blank" rel="noreferrer" aria-label={t('post.printName', { name: label })}>
          {t('post.print')}
        </a>
        <Button look="text" onPress={() => retry.mutate()} busy={retry.isPending} aria-label={t('post.retryName', { name: label })}>
          {t('post.retry')}
        </Button>
        <Button look="secondary" onPress={() => posted.mutate()} busy={posted.isPending} aria-label={t('post.postedName', { name: label })}>
          {t('post.posted')}
        </Button>
      </div>
    </li>
  );
}
